// Written by tools/schema from istio.io/api v1.31.4. Do not edit.
#include "resource/schema_tables.h"

namespace sluice::resource::tables {

static constexpr FieldSpec kIstioDestinationRuleSpecFields[] = {
    {"exportTo", &kStringList},
    {"host", &kString, true},
    {"subsets", &kIstioDestinationRuleSpecSubsetsList},
    {"trafficPolicy", &kIstioDestinationRuleSpecSubsetTrafficPolicy},
    {"workloadSelector", &kIstioDestinationRuleSpecWorkloadSelector},
};
constinit const Schema kIstioDestinationRuleSpec = {.type = Type::kObject,
                                                    .fields = kIstioDestinationRuleSpecFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetFields[] = {
    {"labels", &kStringMap},
    {"name", &kString, true},
    {"trafficPolicy", &kIstioDestinationRuleSpecSubsetTrafficPolicy},
};
constinit const Schema kIstioDestinationRuleSpecSubset = {
    .type = Type::kObject, .fields = kIstioDestinationRuleSpecSubsetFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyFields[] = {
    {"connectionPool", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPool},
    {"loadBalancer", &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancer},
    {"outlierDetection", &kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetection},
    {"portLevelSettings", &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingsList},
    {"proxyProtocol", &kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocol},
    {"retryBudget", &kIstioDestinationRuleSpecSubsetTrafficPolicyRetryBudget},
    {"tls", &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTls},
    {"tunnel", &kIstioDestinationRuleSpecSubsetTrafficPolicyTunnel},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicy = {
    .type = Type::kObject, .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolFields[] = {
    {"http", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttp},
    {"tcp", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcp},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPool = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpFields[] =
    {
        {"h2UpgradePolicy",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpH2UpgradePolicy},
        {"http1MaxPendingRequests", &kInteger32},
        {"http2KeepAlive",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpHttp2KeepAlive},
        {"http2MaxRequests", &kInteger32},
        {"idleTimeout", &kDuration},
        {"maxConcurrentStreams", &kInteger32},
        {"maxRequestsPerConnection", &kInteger32},
        {"maxRetries", &kInteger32},
        {"useClientProtocol", &kBoolean},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttp = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpFields};

static constexpr std::string_view
    kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpH2UpgradePolicyValues[] = {
        "DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpH2UpgradePolicy = {
        .type = Type::kString,
        .values =
            kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpH2UpgradePolicyValues};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpHttp2KeepAliveFields[] = {
        {"interval", &kDuration},
        {"timeout", &kDuration},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpHttp2KeepAlive = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolHttpHttp2KeepAliveFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpFields[] = {
    {"connectTimeout", &kDuration},
    {"idleTimeout", &kString},
    {"maxConnectionDuration", &kDuration},
    {"maxConnections", &kInteger32},
    {"tcpKeepalive", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepalive},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcp = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpFields};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveFields[] = {
        {"interval", &kDuration},
        {"probes",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
        {"time", &kDuration},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepalive = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes = {
        .type = Type::kInteger64, .minimum = 0, .maximum = 4294967295};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerFields[] = {
    {"consistentHash", &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHash},
    {"localityLbSetting",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSetting},
    {"simple", &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerSimple},
    {"warmup", &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerWarmup},
    {"warmupDurationSecs", &kDuration},
    {"zoneAwareLbSetting",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerZoneAwareLbSetting},
};
static constexpr std::string_view kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerOneOf0[] =
    {"simple", "consistentHash"};
static constexpr std::span<const std::string_view>
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerOneOf[] = {
        kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerOneOf0};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancer = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerFields,
    .one_of = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerOneOf};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashFields[] = {
        {"httpCookie",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookie},
        {"httpHeaderName", &kString},
        {"httpQueryParameterName", &kString},
        {"maglev", &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglev},
        {"minimumRingSize",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglevTableSize},
        {"ringHash",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashRingHash},
        {"useSourceIp", &kBoolean},
};
static constexpr std::string_view
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashOneOf0[] = {
        "httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"};
static constexpr std::string_view
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashOneOf1[] = {"ringHash",
                                                                                      "maglev"};
static constexpr std::span<const std::string_view>
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashOneOf[] = {
        kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashOneOf0,
        kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashOneOf1};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHash = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashFields,
    .one_of = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashOneOf};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieFields[] = {
        {"attributes",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieAttributesList},
        {"name", &kString, true},
        {"path", &kString},
        {"ttl", &kString},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookie = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieFields};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieAttributeFields
        [] = {
            {"name", &kString, true},
            {"value", &kString},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieAttribute = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieAttributeFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieAttributesList = {
        .type = Type::kList,
        .element =
            &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashHttpCookieAttribute};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglevFields[] = {
        {"tableSize",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglevTableSize},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglev = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglevFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglevTableSize = {
        .type = Type::kInteger64, .minimum = 0};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashRingHashFields[] = {
        {"minimumRingSize",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashMaglevTableSize},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashRingHash = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerConsistentHashRingHashFields};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFields[] = {
        {"distribute",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeList},
        {"enabled", &kBoolean},
        {"failover",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailoverList},
        {"failoverPriority", &kStringList},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSetting = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFields};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeFields[] = {
        {"from", &kString},
        {"to",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeToMap},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistribute = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeList = {
        .type = Type::kList,
        .element =
            &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistribute};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeToMap = {
        .type = Type::kMap,
        .element =
            &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailoverFields[] = {
        {"from", &kString},
        {"to", &kString},
};
constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailover = {
        .type = Type::kObject,
        .fields =
            kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailoverFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailoverList = {
        .type = Type::kList,
        .element =
            &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailover};

static constexpr std::string_view
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerSimpleValues[] = {
        "UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerSimple = {
    .type = Type::kString,
    .values = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerSimpleValues};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerWarmupFields[] =
    {
        {"aggression", &kNumber},
        {"duration", &kDuration, true},
        {"minimumPercent", &kNumber},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerWarmup = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerWarmupFields};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerZoneAwareLbSettingFields[] = {
        {"enabled", &kBoolean},
        {"failover",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingFailoverList},
        {"failoverPriority", &kStringList},
        {"minClusterSize",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerZoneAwareLbSettingMinClusterSize},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerZoneAwareLbSetting =
    {.type = Type::kObject,
     .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerZoneAwareLbSettingFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerZoneAwareLbSettingMinClusterSize = {
        .type = Type::kInteger64, .minimum = 1, .maximum = 4294967295};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetectionFields[] = {
    {"baseEjectionTime", &kDuration},
    {"consecutive5xxErrors",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"consecutiveErrors", &kInteger32},
    {"consecutiveGatewayErrors",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"consecutiveLocalOriginFailures",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"interval", &kDuration},
    {"maxEjectionPercent", &kInteger32},
    {"minHealthPercent", &kInteger32},
    {"outlierDetectionHttpErrorCodes",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetectionOutlierDetectionHttpErrorCodesList},
    {"splitExternalLocalOriginErrors", &kBoolean},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetection = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetectionFields};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetectionOutlierDetectionHttpErrorCode = {
        .type = Type::kInteger64, .minimum = 100, .maximum = 599};

constinit const Schema
    kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetectionOutlierDetectionHttpErrorCodesList = {
        .type = Type::kList,
        .element =
            &kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetectionOutlierDetectionHttpErrorCode};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingFields[] = {
    {"connectionPool", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPool},
    {"loadBalancer", &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancer},
    {"outlierDetection", &kIstioDestinationRuleSpecSubsetTrafficPolicyOutlierDetection},
    {"port", &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingPort},
    {"tls", &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTls},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSetting = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingFields};

static constexpr FieldSpec
    kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingPortFields[] = {
        {"number",
         &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingPort = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingPortFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTlsFields[] =
    {
        {"caCertificates", &kString},
        {"caCrl", &kString},
        {"clientCertificate", &kString},
        {"credentialName", &kString},
        {"insecureSkipVerify", &kBoolean},
        {"mode", &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTlsMode},
        {"privateKey", &kString},
        {"sni", &kString},
        {"subjectAltNames", &kStringList},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTls = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTlsFields};

static constexpr std::string_view
    kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTlsModeValues[] = {
        "DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTlsMode = {
    .type = Type::kString,
    .values = kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingTlsModeValues};

constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingsList = {
    .type = Type::kList, .element = &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSetting};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocolFields[] = {
    {"version", &kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocolVersion},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocol = {
    .type = Type::kObject,
    .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocolFields};

static constexpr std::string_view
    kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocolVersionValues[] = {"V1", "V2"};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocolVersion = {
    .type = Type::kString,
    .values = kIstioDestinationRuleSpecSubsetTrafficPolicyProxyProtocolVersionValues};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyRetryBudgetFields[] = {
    {"budgetInterval", &kString},
    {"minRetryConcurrency",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"percent", &kNumber},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyRetryBudget = {
    .type = Type::kObject, .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyRetryBudgetFields};

static constexpr FieldSpec kIstioDestinationRuleSpecSubsetTrafficPolicyTunnelFields[] = {
    {"protocol", &kString},
    {"targetHost", &kString, true},
    {"targetPort", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes,
     true},
};
constinit const Schema kIstioDestinationRuleSpecSubsetTrafficPolicyTunnel = {
    .type = Type::kObject, .fields = kIstioDestinationRuleSpecSubsetTrafficPolicyTunnelFields};

constinit const Schema kIstioDestinationRuleSpecSubsetsList = {
    .type = Type::kList, .element = &kIstioDestinationRuleSpecSubset};

static constexpr FieldSpec kIstioDestinationRuleSpecWorkloadSelectorFields[] = {
    {"matchLabels", &kStringMap},
};
constinit const Schema kIstioDestinationRuleSpecWorkloadSelector = {
    .type = Type::kObject, .fields = kIstioDestinationRuleSpecWorkloadSelectorFields};

static constexpr FieldSpec kIstioGatewaySpecFields[] = {
    {"selector", &kStringMap},
    {"servers", &kIstioGatewaySpecServersList},
};
constinit const Schema kIstioGatewaySpec = {.type = Type::kObject,
                                            .fields = kIstioGatewaySpecFields};

static constexpr FieldSpec kIstioGatewaySpecServerFields[] = {
    {"bind", &kString},
    {"defaultEndpoint", &kString},
    {"hosts", &kStringList, true},
    {"name", &kString},
    {"port", &kIstioGatewaySpecServerPort, true},
    {"tls", &kIstioGatewaySpecServerTls},
};
constinit const Schema kIstioGatewaySpecServer = {.type = Type::kObject,
                                                  .fields = kIstioGatewaySpecServerFields};

static constexpr FieldSpec kIstioGatewaySpecServerPortFields[] = {
    {"name", &kString, true},
    {"number", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes,
     true},
    {"protocol", &kString, true},
    {"targetPort",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
};
constinit const Schema kIstioGatewaySpecServerPort = {.type = Type::kObject,
                                                      .fields = kIstioGatewaySpecServerPortFields};

static constexpr FieldSpec kIstioGatewaySpecServerTlsFields[] = {
    {"caCertCredentialName", &kString},
    {"caCertificates", &kString},
    {"caCrl", &kString},
    {"cipherSuites", &kStringList},
    {"credentialName", &kString},
    {"credentialNames", &kStringList},
    {"httpsRedirect", &kBoolean},
    {"insecureSkipVerify", &kBoolean},
    {"maxProtocolVersion", &kIstioGatewaySpecServerTlsMaxProtocolVersion},
    {"minProtocolVersion", &kIstioGatewaySpecServerTlsMaxProtocolVersion},
    {"mode", &kIstioGatewaySpecServerTlsMode},
    {"privateKey", &kString},
    {"serverCertificate", &kString},
    {"subjectAltNames", &kStringList},
    {"tlsCertificates", &kIstioGatewaySpecServerTlsTlsCertificatesList},
    {"verifyCertificateHash", &kStringList},
    {"verifyCertificateSpki", &kStringList},
};
constinit const Schema kIstioGatewaySpecServerTls = {.type = Type::kObject,
                                                     .fields = kIstioGatewaySpecServerTlsFields};

static constexpr std::string_view kIstioGatewaySpecServerTlsMaxProtocolVersionValues[] = {
    "TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3"};
constinit const Schema kIstioGatewaySpecServerTlsMaxProtocolVersion = {
    .type = Type::kString, .values = kIstioGatewaySpecServerTlsMaxProtocolVersionValues};

static constexpr std::string_view kIstioGatewaySpecServerTlsModeValues[] = {
    "PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"};
constinit const Schema kIstioGatewaySpecServerTlsMode = {
    .type = Type::kString, .values = kIstioGatewaySpecServerTlsModeValues};

static constexpr FieldSpec kIstioGatewaySpecServerTlsTlsCertificateFields[] = {
    {"caCertificates", &kString},
    {"privateKey", &kString},
    {"serverCertificate", &kString},
};
constinit const Schema kIstioGatewaySpecServerTlsTlsCertificate = {
    .type = Type::kObject, .fields = kIstioGatewaySpecServerTlsTlsCertificateFields};

constinit const Schema kIstioGatewaySpecServerTlsTlsCertificatesList = {
    .type = Type::kList, .element = &kIstioGatewaySpecServerTlsTlsCertificate};

constinit const Schema kIstioGatewaySpecServersList = {.type = Type::kList,
                                                       .element = &kIstioGatewaySpecServer};

static constexpr FieldSpec kIstioServiceEntrySpecFields[] = {
    {"addresses", &kStringList},
    {"endpoints", &kIstioServiceEntrySpecEndpointsList},
    {"exportTo", &kStringList},
    {"hosts", &kStringList, true},
    {"location", &kIstioServiceEntrySpecLocation},
    {"ports", &kIstioServiceEntrySpecPortsList},
    {"resolution", &kIstioServiceEntrySpecResolution},
    {"subjectAltNames", &kStringList},
    {"workloadSelector", &kIstioServiceEntrySpecWorkloadSelector},
};
constinit const Schema kIstioServiceEntrySpec = {.type = Type::kObject,
                                                 .fields = kIstioServiceEntrySpecFields};

static constexpr FieldSpec kIstioServiceEntrySpecEndpointFields[] = {
    {"address", &kString},
    {"labels", &kStringMap},
    {"locality", &kString},
    {"network", &kString},
    {"ports",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyLoadBalancerLocalityLbSettingDistributeToMap},
    {"serviceAccount", &kString},
    {"weight", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
};
constinit const Schema kIstioServiceEntrySpecEndpoint = {
    .type = Type::kObject, .fields = kIstioServiceEntrySpecEndpointFields};

constinit const Schema kIstioServiceEntrySpecEndpointsList = {
    .type = Type::kList, .element = &kIstioServiceEntrySpecEndpoint};

static constexpr std::string_view kIstioServiceEntrySpecLocationValues[] = {"MESH_EXTERNAL",
                                                                            "MESH_INTERNAL"};
constinit const Schema kIstioServiceEntrySpecLocation = {
    .type = Type::kString, .values = kIstioServiceEntrySpecLocationValues};

static constexpr FieldSpec kIstioServiceEntrySpecPortFields[] = {
    {"name", &kString, true},
    {"number", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes,
     true},
    {"protocol", &kString},
    {"targetPort",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
};
constinit const Schema kIstioServiceEntrySpecPort = {.type = Type::kObject,
                                                     .fields = kIstioServiceEntrySpecPortFields};

constinit const Schema kIstioServiceEntrySpecPortsList = {.type = Type::kList,
                                                          .element = &kIstioServiceEntrySpecPort};

static constexpr std::string_view kIstioServiceEntrySpecResolutionValues[] = {
    "NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"};
constinit const Schema kIstioServiceEntrySpecResolution = {
    .type = Type::kString, .values = kIstioServiceEntrySpecResolutionValues};

static constexpr FieldSpec kIstioServiceEntrySpecWorkloadSelectorFields[] = {
    {"labels", &kStringMap},
};
constinit const Schema kIstioServiceEntrySpecWorkloadSelector = {
    .type = Type::kObject, .fields = kIstioServiceEntrySpecWorkloadSelectorFields};

static constexpr FieldSpec kIstioVirtualServiceSpecFields[] = {
    {"exportTo", &kStringList},
    {"gateways", &kStringList},
    {"hosts", &kStringList},
    {"http", &kIstioVirtualServiceSpecHttpList},
    {"tcp", &kIstioVirtualServiceSpecTcpList},
    {"tls", &kIstioVirtualServiceSpecTlsList},
};
constinit const Schema kIstioVirtualServiceSpec = {.type = Type::kObject,
                                                   .fields = kIstioVirtualServiceSpecFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpFields[] = {
    {"corsPolicy", &kIstioVirtualServiceSpecHttpCorsPolicy},
    {"delegate", &kIstioVirtualServiceSpecHttpDelegate},
    {"directResponse", &kIstioVirtualServiceSpecHttpDirectResponse},
    {"fault", &kIstioVirtualServiceSpecHttpFault},
    {"headers", &kIstioVirtualServiceSpecHttpHeaders},
    {"match", &kIstioVirtualServiceSpecHttpMatchList},
    {"mirror", &kIstioVirtualServiceSpecHttpMirror},
    {"mirrorPercent",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"mirrorPercentage", &kIstioVirtualServiceSpecHttpFaultAbortPercentage},
    {"mirror_percent",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"mirrors", &kIstioVirtualServiceSpecHttpMirrorsList},
    {"name", &kString},
    {"redirect", &kIstioVirtualServiceSpecHttpRedirect},
    {"retries", &kIstioVirtualServiceSpecHttpRetries},
    {"rewrite", &kIstioVirtualServiceSpecHttpRewrite},
    {"route", &kIstioVirtualServiceSpecHttpRouteList},
    {"timeout", &kDuration},
};
constinit const Schema kIstioVirtualServiceSpecHttp = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpCorsPolicyFields[] = {
    {"allowCredentials", &kBoolean},
    {"allowHeaders", &kStringList},
    {"allowMethods", &kStringList},
    {"allowOrigin", &kStringList},
    {"allowOrigins", &kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginsList},
    {"exposeHeaders", &kStringList},
    {"maxAge", &kDuration},
    {"unmatchedPreflights", &kIstioVirtualServiceSpecHttpCorsPolicyUnmatchedPreflights},
};
constinit const Schema kIstioVirtualServiceSpecHttpCorsPolicy = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpCorsPolicyFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginFields[] = {
    {"exact", &kString},
    {"prefix", &kString},
    {"regex", &kString},
};
static constexpr std::string_view kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginOneOf0[] = {
    "exact", "prefix", "regex"};
static constexpr std::span<const std::string_view>
    kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginOneOf[] = {
        kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginOneOf0};
constinit const Schema kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin = {
    .type = Type::kObject,
    .fields = kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginFields,
    .one_of = kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginOneOf};

constinit const Schema kIstioVirtualServiceSpecHttpCorsPolicyAllowOriginsList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin};

static constexpr std::string_view
    kIstioVirtualServiceSpecHttpCorsPolicyUnmatchedPreflightsValues[] = {"UNSPECIFIED", "FORWARD",
                                                                         "IGNORE"};
constinit const Schema kIstioVirtualServiceSpecHttpCorsPolicyUnmatchedPreflights = {
    .type = Type::kString,
    .values = kIstioVirtualServiceSpecHttpCorsPolicyUnmatchedPreflightsValues};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpDelegateFields[] = {
    {"name", &kString},
    {"namespace", &kString},
};
constinit const Schema kIstioVirtualServiceSpecHttpDelegate = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpDelegateFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpDirectResponseFields[] = {
    {"body", &kIstioVirtualServiceSpecHttpDirectResponseBody},
    {"status", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes,
     true},
};
constinit const Schema kIstioVirtualServiceSpecHttpDirectResponse = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpDirectResponseFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpDirectResponseBodyFields[] = {
    {"bytes", &kString},
    {"string", &kString},
};
static constexpr std::string_view kIstioVirtualServiceSpecHttpDirectResponseBodyOneOf0[] = {
    "string", "bytes"};
static constexpr std::span<const std::string_view>
    kIstioVirtualServiceSpecHttpDirectResponseBodyOneOf[] = {
        kIstioVirtualServiceSpecHttpDirectResponseBodyOneOf0};
constinit const Schema kIstioVirtualServiceSpecHttpDirectResponseBody = {
    .type = Type::kObject,
    .fields = kIstioVirtualServiceSpecHttpDirectResponseBodyFields,
    .one_of = kIstioVirtualServiceSpecHttpDirectResponseBodyOneOf};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpFaultFields[] = {
    {"abort", &kIstioVirtualServiceSpecHttpFaultAbort},
    {"delay", &kIstioVirtualServiceSpecHttpFaultDelay},
};
constinit const Schema kIstioVirtualServiceSpecHttpFault = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpFaultFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpFaultAbortFields[] = {
    {"grpcStatus", &kString},
    {"http2Error", &kString},
    {"httpStatus", &kInteger32},
    {"percentage", &kIstioVirtualServiceSpecHttpFaultAbortPercentage},
};
static constexpr std::string_view kIstioVirtualServiceSpecHttpFaultAbortOneOf0[] = {
    "httpStatus", "grpcStatus", "http2Error"};
static constexpr std::span<const std::string_view> kIstioVirtualServiceSpecHttpFaultAbortOneOf[] = {
    kIstioVirtualServiceSpecHttpFaultAbortOneOf0};
constinit const Schema kIstioVirtualServiceSpecHttpFaultAbort = {
    .type = Type::kObject,
    .fields = kIstioVirtualServiceSpecHttpFaultAbortFields,
    .one_of = kIstioVirtualServiceSpecHttpFaultAbortOneOf};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpFaultAbortPercentageFields[] = {
    {"value", &kNumber},
};
constinit const Schema kIstioVirtualServiceSpecHttpFaultAbortPercentage = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpFaultAbortPercentageFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpFaultDelayFields[] = {
    {"exponentialDelay", &kDuration},
    {"fixedDelay", &kDuration},
    {"percent", &kInteger32},
    {"percentage", &kIstioVirtualServiceSpecHttpFaultAbortPercentage},
};
static constexpr std::string_view kIstioVirtualServiceSpecHttpFaultDelayOneOf0[] = {
    "fixedDelay", "exponentialDelay"};
static constexpr std::span<const std::string_view> kIstioVirtualServiceSpecHttpFaultDelayOneOf[] = {
    kIstioVirtualServiceSpecHttpFaultDelayOneOf0};
constinit const Schema kIstioVirtualServiceSpecHttpFaultDelay = {
    .type = Type::kObject,
    .fields = kIstioVirtualServiceSpecHttpFaultDelayFields,
    .one_of = kIstioVirtualServiceSpecHttpFaultDelayOneOf};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpHeadersFields[] = {
    {"request", &kIstioVirtualServiceSpecHttpHeadersRequest},
    {"response", &kIstioVirtualServiceSpecHttpHeadersRequest},
};
constinit const Schema kIstioVirtualServiceSpecHttpHeaders = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpHeadersFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpHeadersRequestFields[] = {
    {"add", &kStringMap},
    {"remove", &kStringList},
    {"set", &kStringMap},
};
constinit const Schema kIstioVirtualServiceSpecHttpHeadersRequest = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpHeadersRequestFields};

constinit const Schema kIstioVirtualServiceSpecHttpList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecHttp};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpMatchFields[] = {
    {"authority", &kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin},
    {"gateways", &kStringList},
    {"headers", &kIstioVirtualServiceSpecHttpMatchHeadersMap},
    {"ignoreUriCase", &kBoolean},
    {"method", &kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin},
    {"name", &kString},
    {"port", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"queryParams", &kIstioVirtualServiceSpecHttpMatchHeadersMap},
    {"scheme", &kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin},
    {"sourceLabels", &kStringMap},
    {"sourceNamespace", &kString},
    {"statPrefix", &kString},
    {"uri", &kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin},
    {"withoutHeaders", &kIstioVirtualServiceSpecHttpMatchHeadersMap},
};
constinit const Schema kIstioVirtualServiceSpecHttpMatch = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpMatchFields};

constinit const Schema kIstioVirtualServiceSpecHttpMatchHeadersMap = {
    .type = Type::kMap, .element = &kIstioVirtualServiceSpecHttpCorsPolicyAllowOrigin};

constinit const Schema kIstioVirtualServiceSpecHttpMatchList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecHttpMatch};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpMirrorFields[] = {
    {"host", &kString, true},
    {"port", &kIstioDestinationRuleSpecSubsetTrafficPolicyPortLevelSettingPort},
    {"subset", &kString},
};
constinit const Schema kIstioVirtualServiceSpecHttpMirror = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpMirrorFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpMirror_Fields[] = {
    {"destination", &kIstioVirtualServiceSpecHttpMirror, true},
    {"percentage", &kIstioVirtualServiceSpecHttpFaultAbortPercentage},
};
constinit const Schema kIstioVirtualServiceSpecHttpMirror_ = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpMirror_Fields};

constinit const Schema kIstioVirtualServiceSpecHttpMirrorsList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecHttpMirror_};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpRedirectFields[] = {
    {"authority", &kString},
    {"derivePort", &kIstioVirtualServiceSpecHttpRedirectDerivePort},
    {"port", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"prefixRewrite", &kString},
    {"redirectCode",
     &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"scheme", &kString},
    {"uri", &kString},
};
static constexpr std::string_view kIstioVirtualServiceSpecHttpRedirectOneOf0[] = {"port",
                                                                                  "derivePort"};
static constexpr std::span<const std::string_view> kIstioVirtualServiceSpecHttpRedirectOneOf[] = {
    kIstioVirtualServiceSpecHttpRedirectOneOf0};
constinit const Schema kIstioVirtualServiceSpecHttpRedirect = {
    .type = Type::kObject,
    .fields = kIstioVirtualServiceSpecHttpRedirectFields,
    .one_of = kIstioVirtualServiceSpecHttpRedirectOneOf};

static constexpr std::string_view kIstioVirtualServiceSpecHttpRedirectDerivePortValues[] = {
    "FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"};
constinit const Schema kIstioVirtualServiceSpecHttpRedirectDerivePort = {
    .type = Type::kString, .values = kIstioVirtualServiceSpecHttpRedirectDerivePortValues};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpRetriesFields[] = {
    {"attempts", &kInteger32},     {"backoff", &kDuration},
    {"perTryTimeout", &kDuration}, {"retryIgnorePreviousHosts", &kBoolean},
    {"retryOn", &kString},         {"retryRemoteLocalities", &kBoolean},
};
constinit const Schema kIstioVirtualServiceSpecHttpRetries = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpRetriesFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpRewriteFields[] = {
    {"authority", &kString},
    {"uri", &kString},
    {"uriRegexRewrite", &kIstioVirtualServiceSpecHttpRewriteUriRegexRewrite},
};
constinit const Schema kIstioVirtualServiceSpecHttpRewrite = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpRewriteFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpRewriteUriRegexRewriteFields[] = {
    {"match", &kString},
    {"rewrite", &kString},
};
constinit const Schema kIstioVirtualServiceSpecHttpRewriteUriRegexRewrite = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpRewriteUriRegexRewriteFields};

static constexpr FieldSpec kIstioVirtualServiceSpecHttpRouteFields[] = {
    {"destination", &kIstioVirtualServiceSpecHttpMirror, true},
    {"headers", &kIstioVirtualServiceSpecHttpHeaders},
    {"weight", &kInteger32},
};
constinit const Schema kIstioVirtualServiceSpecHttpRoute = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecHttpRouteFields};

constinit const Schema kIstioVirtualServiceSpecHttpRouteList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecHttpRoute};

static constexpr FieldSpec kIstioVirtualServiceSpecTcpFields[] = {
    {"match", &kIstioVirtualServiceSpecTcpMatchList},
    {"route", &kIstioVirtualServiceSpecTcpRouteList},
};
constinit const Schema kIstioVirtualServiceSpecTcp = {.type = Type::kObject,
                                                      .fields = kIstioVirtualServiceSpecTcpFields};

constinit const Schema kIstioVirtualServiceSpecTcpList = {.type = Type::kList,
                                                          .element = &kIstioVirtualServiceSpecTcp};

static constexpr FieldSpec kIstioVirtualServiceSpecTcpMatchFields[] = {
    {"destinationSubnets", &kStringList},
    {"gateways", &kStringList},
    {"port", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"sourceLabels", &kStringMap},
    {"sourceNamespace", &kString},
    {"sourceSubnet", &kString},
};
constinit const Schema kIstioVirtualServiceSpecTcpMatch = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecTcpMatchFields};

constinit const Schema kIstioVirtualServiceSpecTcpMatchList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecTcpMatch};

static constexpr FieldSpec kIstioVirtualServiceSpecTcpRouteFields[] = {
    {"destination", &kIstioVirtualServiceSpecHttpMirror, true},
    {"weight", &kInteger32},
};
constinit const Schema kIstioVirtualServiceSpecTcpRoute = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecTcpRouteFields};

constinit const Schema kIstioVirtualServiceSpecTcpRouteList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecTcpRoute};

static constexpr FieldSpec kIstioVirtualServiceSpecTlFields[] = {
    {"match", &kIstioVirtualServiceSpecTlMatchList, true},
    {"route", &kIstioVirtualServiceSpecTcpRouteList},
};
constinit const Schema kIstioVirtualServiceSpecTl = {.type = Type::kObject,
                                                     .fields = kIstioVirtualServiceSpecTlFields};

static constexpr FieldSpec kIstioVirtualServiceSpecTlMatchFields[] = {
    {"destinationSubnets", &kStringList},
    {"gateways", &kStringList},
    {"port", &kIstioDestinationRuleSpecSubsetTrafficPolicyConnectionPoolTcpTcpKeepaliveProbes},
    {"sniHosts", &kStringList, true},
    {"sourceLabels", &kStringMap},
    {"sourceNamespace", &kString},
};
constinit const Schema kIstioVirtualServiceSpecTlMatch = {
    .type = Type::kObject, .fields = kIstioVirtualServiceSpecTlMatchFields};

constinit const Schema kIstioVirtualServiceSpecTlMatchList = {
    .type = Type::kList, .element = &kIstioVirtualServiceSpecTlMatch};

constinit const Schema kIstioVirtualServiceSpecTlsList = {.type = Type::kList,
                                                          .element = &kIstioVirtualServiceSpecTl};

}  // namespace sluice::resource::tables
