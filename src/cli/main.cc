// The command line: verbs, options, help. Decides nothing; each verb is a file of its own.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "base/log.h"
#include "base/text.h"
#include "cli/completion.h"
#include "cli/verbs.h"
#include "compile/settings.h"
#include "executor/executor.h"
#include "model/model.h"
#include "resource/duration.h"

namespace sluice::cli {
namespace {

// What all verbs that read documents share.
struct Common {
  std::vector<std::string> files;
  LiveOptions live;
  std::string profile = "default";
  std::string output;
  std::string istio_gateway;
  std::string istio_tls_mode;
  std::string controller_id;
  std::string config;
  bool cluster = false;
};

void add_files(CLI::App& verb, Common& common) {
  verb.add_option("-f,--filename", common.files,
                  common.live.used
                      ? "file or folder of YAML or JSON, as if it were applied to the cluster"
                      : "file or folder of YAML or JSON; - is standard input; may be repeated")
      ->required(!common.live.used)
      ->type_name("PATH")
      ->allow_extra_args(false);
}

// Where `kubectl sluice` reads; for `sluice` itself nothing.
void add_live(CLI::App& verb, Common& common, bool with_names) {
  if (!common.live.used) return;
  verb.add_option("--kubeconfig", common.live.kubeconfig,
                  "default: env KUBECONFIG, the pod's service account, ~/.kube/config")
      ->type_name("PATH");
  verb.add_option("--context", common.live.context, "of the kubeconfig; default: its current one")
      ->type_name("NAME");
  if (!with_names) return;
  verb.add_option("-n,--namespace", common.live.namespace_, "default: the context's")
      ->type_name("NAMESPACE");
  verb.add_flag("-A,--all-namespaces", common.live.all_namespaces, "of all namespaces");
  verb.add_option("name", common.live.names, "SeldonDeployments; none: all of the namespace")
      ->type_name("NAME");
}

void add_settings(CLI::App& verb, Common& common) {
  verb.add_option("--profile", common.profile,
                  "compat: what Seldon Core 1.18 makes; default: with its defects mended")
      ->check(CLI::IsMember({"default", "compat"}))
      ->capture_default_str();
  verb.add_option(
          "--istio-gateway", common.istio_gateway,
          "gateway of deployments that name none (env ISTIO_GATEWAY; istio-system/seldon-gateway)")
      ->type_name("[NAMESPACE/]NAME");
  verb.add_option("--istio-tls-mode", common.istio_tls_mode,
                  "TLS from the gateway to the models (env ISTIO_TLS_MODE)")
      ->type_name("MODE");
  verb.add_option("--controller-id", common.controller_id,
                  "only deployments with this seldon.io/controller-id label")
      ->type_name("ID");
  verb.add_option("--config", common.config,
                  "keys of the ConfigMap seldon-config as files: predictor_servers, "
                  "storageInitializer, explainer")
      ->check(CLI::ExistingDirectory)
      ->type_name("FOLDER");
}

void add_output(CLI::App& verb, Common& common, const std::vector<std::string>& formats) {
  common.output.clear();
  verb.add_option("-o,--output", common.output, "format of what is printed")
      ->check(CLI::IsMember(formats))
      ->type_name("FORMAT");
}

void add_duration(CLI::App& verb, const std::string& name, Milliseconds& into,
                  const char* otherwise, const std::string& help) {
  verb.add_option_function<std::string>(
          name,
          [name, &into](const std::string& text) {
            const auto parsed = resource::parse_duration(text);
            if (!parsed) throw CLI::ValidationError(name, "write a duration such as 15s or 500ms");
            into = std::chrono::duration_cast<Milliseconds>(*parsed);
          },
          help)
      ->type_name("DURATION")
      ->default_str(otherwise);
}

void add_cluster(CLI::App& verb, Common& common) {
  if (common.live.used) return;
  verb.add_flag("--cluster", common.cluster,
                "wire as on Kubernetes (with the orchestrator), not as `serve` does");
}

std::optional<std::string> environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// `installed`: how the operator of the cluster is set up, in the place of our environment.
bool settings_of(const Common& common, bool local, compile::Settings& settings,
                 const Live::Setup* installed = nullptr) {
  const bool compat = common.profile == "compat" || (installed != nullptr && installed->compat);
  std::vector<std::string> warnings;
  auto made = compile::settings_from(
      installed != nullptr ? installed->variable : environment,
      compat ? compile::Profile::kCompat : compile::Profile::kDefault, &warnings,
      [&](std::string_view key) -> std::optional<std::string> {
        if (common.config.empty())
          return installed != nullptr ? installed->config_key(key) : std::nullopt;
        std::ifstream file(common.config + "/" + std::string(key));
        if (!file) return std::nullopt;
        std::ostringstream text;
        text << file.rdbuf();
        return std::move(text).str();
      });
  if (installed != nullptr && !installed->warning.empty()) warnings.push_back(installed->warning);
  for (const std::string& warning : warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  if (!made) {
    std::fprintf(stderr, "error: %s\n", to_string(made.error()).c_str());
    return false;
  }
  settings = std::move(*made);
  settings.local = local;
  if (local)
    settings.istio_enabled = true;  // the gateway of one machine is fed by these objects alone
  if (!common.istio_gateway.empty()) settings.istio_gateway = common.istio_gateway;
  if (!common.istio_tls_mode.empty()) settings.istio_tls_mode = common.istio_tls_mode;
  if (!common.controller_id.empty()) settings.controller_id = common.controller_id;
  return true;
}

// Where the verbs that read documents read, and what they take them to mean.
int open_source(const Common& common, bool local, Source& source, compile::Settings& settings) {
  source.files = common.files;
  if (!common.live.used) return settings_of(common, local, settings) ? kExitOk : kExitUsage;
  auto live = Live::open(common.live);
  if (!live) return fail_with(live.error());
  source.live = std::make_shared<Live>(std::move(*live));
  const Live::Setup installed = source.live->setup();
  return settings_of(common, false, settings, &installed) ? kExitOk : kExitUsage;
}

Format format_of(const Common& common, Format otherwise) {
  Format format = otherwise;
  if (!common.output.empty()) parse_format(common.output, format);
  return format;
}

// "80=8080", "443=127.0.0.1:8443", "80=[::1]:8080".
std::optional<gateway::Bind> parse_bind(const std::string& text) {
  const auto port_of = [](std::string_view digits) -> long {
    if (digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos)
      return -1;
    const long port = std::strtol(std::string(digits).c_str(), nullptr, 10);
    return port > 65535 ? -1 : port;
  };
  const auto equals = text.find('=');
  if (equals == std::string::npos) return std::nullopt;
  const std::string_view target = std::string_view(text).substr(equals + 1);
  const auto colon = target.rfind(':');
  gateway::Bind bind;
  if (colon != std::string_view::npos) bind.address = target.substr(0, colon);
  if (bind.address.size() > 2 && bind.address.front() == '[')
    bind.address = bind.address.substr(1, bind.address.size() - 2);
  const long from = port_of(std::string_view(text).substr(0, equals));
  const long to = port_of(colon == std::string_view::npos ? target : target.substr(colon + 1));
  if (from <= 0 || to < 0) return std::nullopt;
  bind.gateway_port = static_cast<std::uint16_t>(from);
  bind.port = static_cast<std::uint16_t>(to);
  return bind;
}

// tree-check: allow one list of every option, to be read from top to bottom
int run(int argc, char** argv) {
  // Its flags are the reference's, which CLI11 does not know: -name=value, booleans with a value.
  if (argc > 1 && std::string_view(argv[1]) == "executor") {
    return executor::run({argv + 2, argv + argc});
  }
  Common common;
  // kubectl runs a program of this name for `kubectl sluice`.
  common.live.used = argc > 0 && std::string_view(argv[0]).substr(
                                     std::string_view(argv[0]).rfind('/') + 1) == "kubectl-sluice";
  CLI::App app{common.live.used
                   ? "What sluice makes of the SeldonDeployments of this cluster."
                   : "An ingress for machine-learning deployments: SeldonDeployments behind one "
                     "gateway.",
               common.live.used ? "kubectl sluice" : "sluice"};
  app.require_subcommand(0, 1);
  static constexpr const char* kStartOnCluster =
      "Start here:\n"
      "  kubectl sluice status -A\n"
      "  kubectl sluice explain -- "
      "http://models.example.com/seldon/seldon/iris/api/v1.0/predictions\n"
      "\nReads the cluster of the kubeconfig and writes nothing. Settings are those of the "
      "operator "
      "that runs there.\n";
  app.footer(common.live.used
                 ? kStartOnCluster
                 : "Start here:\n"
                   "  sluice serve -f examples/iris --bind 80=8080 --bind 443=8443\n"
                   "  curl -s http://localhost:8080/seldon/seldon/iris/api/v1.0/predictions \\\n"
                   "    -H 'Content-Type: application/json' -d "
                   "'{\"data\":{\"ndarray\":[[5.1,3.5,1.4,0.2]]}}'\n"
                   "\nExit codes: 0 well, 1 the input was refused or there is no route, 2 wrong "
                   "command line, 3 "
                   "something failed.\n"
                   "Every command has its own --help with an example.");
  bool version_flag = false;
  app.add_flag("--version", version_flag, "print the version");

  // serve
  CLI::App* const serve_verb = app.add_subcommand(
      "serve", "run the models of SeldonDeployments and be their ingress gateway");
  ServeOptions serve_options;
  std::vector<std::string> binds;
  std::string access_log = "off";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  unsigned workers = 0;
  add_files(*serve_verb, common);
  serve_verb->add_option("--bind", binds, "where a gateway port is really bound; may be repeated")
      ->type_name("GATEWAYPORT=[ADDRESS:]PORT")
      ->allow_extra_args(false);
  serve_verb
      ->add_option("--bind-address", serve_options.gateway.bind_address,
                   "address of gateway ports that --bind gives none")
      ->capture_default_str();
  serve_verb->add_option("--workers", workers, "gateway threads; 0: one per processor")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  serve_verb
      ->add_option("--admin", serve_options.admin,
                   "health, metrics, status: ADDRESS:PORT; port 0 picks one, off for none")
      ->capture_default_str();
  serve_verb->add_option("--access-log", access_log, "a line per request on standard output")
      ->check(CLI::IsMember({"off", "text", "json"}))
      ->capture_default_str();
  serve_verb
      ->add_option("--access-log-file", serve_options.gateway.access_log_path,
                   "where those lines go")
      ->capture_default_str();
  serve_verb
      ->add_option("--drain-seconds", serve_options.drain_seconds,
                   "how long requests may take to end on SIGTERM")
      ->check(CLI::Range(0, 3600))
      ->capture_default_str();
  serve_verb->add_option("--log-level", log_level, "least level that is logged")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  serve_verb->add_option("--log-format", log_format, "of log lines on standard error")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->capture_default_str();
  add_settings(*serve_verb, common);
  serve_verb->footer(
      "Example:\n  sluice serve -f deployments/ --bind 80=8080 --bind 443=8443 --admin "
      "127.0.0.1:15000\n"
      "Files that change are in force at once; a bad one is reported and the last good state keeps "
      "serving.\n"
      "SIGTERM drains, SIGHUP reads everything again.");

  // operator
  CLI::App* const operator_verb =
      app.add_subcommand("operator", "wire SeldonDeployments into Istio on a Kubernetes cluster");
  OperatorOptions operator_options;
  std::string gateway_probe = "on";
  operator_verb
      ->add_option("--kubeconfig", operator_options.kubeconfig,
                   "default: env KUBECONFIG, the pod's service account, ~/.kube/config")
      ->type_name("PATH");
  operator_verb
      ->add_option("--context", operator_options.context,
                   "of the kubeconfig; default: its current one")
      ->type_name("NAME");
  operator_verb
      ->add_option("-n,--namespace", operator_options.namespace_,
                   "only this namespace (env WATCH_NAMESPACE); default: all")
      ->type_name("NAMESPACE")
      ->envname("WATCH_NAMESPACE");
  operator_verb
      ->add_option("--admin", operator_options.admin,
                   "health, metrics, status: ADDRESS:PORT, or off")
      ->capture_default_str();
  operator_verb->add_flag("--leader-elect", operator_options.leader_elect,
                          "of several replicas one leads, by a Lease");
  operator_verb
      ->add_option("--lease-namespace", operator_options.lease_namespace,
                   "where the Lease is (env POD_NAMESPACE)")
      ->type_name("NAMESPACE")
      ->envname("POD_NAMESPACE");
  operator_verb
      ->add_option("--lease-name", operator_options.lease_name,
                   "name of the Lease (env LEADER_ELECTION_ID)")
      ->envname("LEADER_ELECTION_ID")
      ->capture_default_str();
  add_duration(*operator_verb, "--lease-duration", operator_options.lease_duration, "15s",
               "how long others wait for a leader that does not renew its Lease");
  add_duration(*operator_verb, "--renew-deadline", operator_options.renew_deadline, "10s",
               "after so long without renewing it a leader stops leading");
  add_duration(*operator_verb, "--retry-period", operator_options.retry_period, "2s",
               "time between tries to get the Lease, or to renew it");
  operator_verb->add_flag("--usage-metrics", operator_options.usage_metrics,
                          "counts of what SeldonDeployments use among the metrics; sends nothing");
  operator_verb
      ->add_option("--usage-metrics-url", operator_options.usage_metrics_url,
                   "where the leader posts these counts, as JSON; default: nowhere")
      ->type_name("URL");
  add_duration(*operator_verb, "--usage-metrics-interval", operator_options.usage_metrics_interval,
               "24h", "time between two posts, give or take a tenth");
  operator_verb
      ->add_option("--webhook", operator_options.webhook,
                   "answer the API server's AdmissionReviews over HTTPS: ADDRESS:PORT, or off")
      ->capture_default_str();
  operator_verb
      ->add_option("--webhook-certificates", operator_options.webhook_certificates,
                   "folder with tls.crt and tls.key, read again when they change; default: made "
                   "here, and kept in a Secret that replicas share")
      ->type_name("FOLDER");
  operator_verb
      ->add_option("--webhook-service", operator_options.webhook_service,
                   "the Service by which the API server reaches --webhook; in the certificate")
      ->type_name("NAME")
      ->capture_default_str();
  operator_verb
      ->add_option("--webhook-secret", operator_options.webhook_secret,
                   "the Secret with the certificates, in the Lease's namespace")
      ->type_name("NAME")
      ->capture_default_str();
  operator_verb
      ->add_option("--webhook-configuration", operator_options.webhook_configuration,
                   "the ValidatingWebhookConfiguration whose caBundle is kept up to date; "
                   "default: none is")
      ->type_name("NAME");
  operator_verb
      ->add_option("--gateway-probe", gateway_probe,
                   "whether gateways are asked which routes they use, before old pods go")
      ->check(CLI::IsMember({"on", "off"}))
      ->capture_default_str();
  operator_verb
      ->add_option("--settle-ms", operator_options.settle_ms,
                   "how long Istio is given to carry new routes to gateways that can't be asked")
      ->check(CLI::Range(0, 600000))
      ->capture_default_str();
  operator_verb->add_option("--log-level", log_level, "least level that is logged")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str();
  operator_verb->add_option("--log-format", log_format, "of log lines on standard error")
      ->check(CLI::IsMember({"logfmt", "json"}))
      ->capture_default_str();
  add_settings(*operator_verb, common);
  operator_verb->footer(
      "Example:\n  sluice operator --kubeconfig ~/.kube/config --admin 127.0.0.1:8080\n"
      "Settings come from the environment variables of the reference's manager: ISTIO_GATEWAY, "
      "...");

  // render
  CLI::App* const render_verb =
      app.add_subcommand("render", "print the objects that would be created for SeldonDeployments");
  add_files(*render_verb, common);
  add_live(*render_verb, common, true);
  add_settings(*render_verb, common);
  add_output(*render_verb, common, {"yaml", "json", "table"});
  bool render_local = false;
  if (!common.live.used)
    render_verb->add_flag("--local", render_local,
                          "wire as `serve` does on one machine, without the orchestrator");
  render_verb->footer(common.live.used
                          ? "Example:\n  kubectl sluice render -n seldon iris\n  kubectl sluice "
                            "render -f iris.yaml   # as the operator here would"
                          : "Example:\n  sluice render -f iris.yaml\n  sluice render -f iris.yaml "
                            "--profile compat -o "
                            "json");

  // validate
  CLI::App* const validate_verb =
      app.add_subcommand("validate", "check documents, and what they refer to");
  add_files(*validate_verb, common);
  add_live(*validate_verb, common, true);
  add_settings(*validate_verb, common);
  add_output(*validate_verb, common, {"table", "json", "yaml"});
  add_cluster(*validate_verb, common);
  bool strict = false;
  validate_verb->add_flag("--strict", strict, "warnings count as errors");
  validate_verb->footer(
      common.live.used
          ? "Example:\n  kubectl sluice validate -A\n  kubectl sluice validate -f iris.yaml   # as "
            "if it were applied"
          : "Example:\n  sluice validate -f deployments/\n  kubectl get sdep -A -o yaml | sluice "
            "validate --cluster -f -");

  // routes
  CLI::App* const routes_verb = app.add_subcommand(
      "routes", "list the routes that documents make, in the order they are tried");
  add_files(*routes_verb, common);
  add_live(*routes_verb, common, false);
  add_settings(*routes_verb, common);
  add_output(*routes_verb, common, {"table", "json", "yaml"});
  add_cluster(*routes_verb, common);
  routes_verb->footer(common.live.used ? "Example:\n  kubectl sluice routes"
                                       : "Example:\n  sluice routes -f deployments/");

  // explain
  CLI::App* const explain_verb = app.add_subcommand(
      "explain", "say which route a request takes, and why; for a 404, what it just missed");
  std::vector<std::string> request;
  add_files(*explain_verb, common);
  add_live(*explain_verb, common, false);
  add_settings(*explain_verb, common);
  add_output(*explain_verb, common, {"table", "json", "yaml"});
  add_cluster(*explain_verb, common);
  explain_verb->add_option("request", request, "what you would give to curl, after --")
      ->type_name("CURL-ARGUMENTS")
      ->required();
  explain_verb->footer(
      common.live.used
          ? "Example:\n  kubectl sluice explain -- -X POST "
            "http://models.example.com/seldon/seldon/iris/api/v1.0/predictions\n"
            "  kubectl sluice explain -f canary.yaml -- GET /seldon/seldon/iris   # if it were "
            "applied\n"
            "Exit code 1 when the request finds no route."
          : "Example:\n  sluice explain -f deployments/ -- -X POST "
            "http://localhost/seldon/seldon/iris/api/v1.0/predictions\n"
            "  sluice explain -f deployments/ -- GET /seldon/seldon/iris -H 'Host: "
            "models.example.com'\n"
            "Exit code 1 when the request finds no route.");

  // status: of a cluster only; `serve` says its own on the admin port
  CLI::App* const status_verb = app.add_subcommand(
      "status", "say how SeldonDeployments stand, and what keeps them from working");
  add_live(*status_verb, common, true);
  add_output(*status_verb, common, {"table", "json", "yaml"});
  status_verb->footer(
      "Example:\n  kubectl sluice status -A\n  kubectl sluice status -n seldon iris\n"
      "With names: every part of them, and what is wrong with it. Exit code 1 unless all are "
      "Available.");

  // model
  CLI::App* const model_verb = app.add_subcommand(
      "model", "serve one XGBoost model (what `serve` starts for XGBOOST_SERVER)");
  model::Options model_options;
  model_verb
      ->add_option("--implementation", model_options.implementation,
                   "the server's name in the graph")
      ->check(CLI::IsMember({"XGBOOST_SERVER"}))
      ->capture_default_str();
  model_verb->add_option("--name", model_options.name, "the model's name in V2 paths and answers")
      ->capture_default_str();
  model_verb
      ->add_option("--model-uri", model_options.model_uri,
                   "file or folder with model.json, model.ubj or model.bst")
      ->type_name("PATH|file://PATH")
      ->required();
  model_verb
      ->add_option("--protocol", model_options.protocol,
                   "accepted for the record: both protocols are always served")
      ->check(CLI::IsMember({"seldon", "v2", "kfserving"}))
      ->capture_default_str();
  model_verb->add_option("--address", model_options.address, "address to listen on")
      ->capture_default_str();
  model_verb
      ->add_option("--http-port", model_options.http_port,
                   "0 picks one (env PREDICTIVE_UNIT_HTTP_SERVICE_PORT; 9000)")
      ->type_name("PORT");
  model_verb->footer(
      "Example:\n  sluice model --name iris --model-uri examples/iris/models/v1 --http-port 9000");

  // executor: reads its command line itself, see above
  app.add_subcommand("executor",
                     "serve one predictor's inference graph: the engine container of a "
                     "SeldonDeployment");

  // completion, version
  CLI::App* const completion_verb =
      app.add_subcommand("completion", "print a completion script for a shell");
  std::string shell;
  completion_verb->add_option("shell", shell)
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  completion_verb->footer("Example:\n  source <(sluice completion bash)");
  CLI::App* const version_verb = app.add_subcommand("version", "print the version");
  std::string version_output;
  version_verb->add_option("-o,--output", version_output, "format")
      ->check(CLI::IsMember({"json", "yaml", "table"}));
  version_verb->footer("Example:\n  sluice version -o json");

  for (CLI::App* const verb : app.get_subcommands({})) {
    static const std::set<std::string> kOfClusters{"render",  "validate", "routes",
                                                   "explain", "status",   "version"};
    const bool wanted =
        common.live.used ? kOfClusters.contains(verb->get_name()) : verb != status_verb;
    if (!wanted) verb->disabled()->group("");  // hidden
  }

  if (!common.live.used && argc > 1 && std::string_view(argv[1]) == "status") {
    std::fprintf(stderr,
                 "error: status reads a cluster: link this program as kubectl-sluice and say "
                 "kubectl sluice status; serve answers on its admin port: /status\n");
    return kExitUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);  // prints help or the reason
    return code == 0 ? kExitOk : kExitUsage;
  }

  if (version_flag || version_verb->parsed()) {
    Format format = Format::kTable;
    if (!version_output.empty()) parse_format(version_output, format);
    const bool printed = format == Format::kTable
                             ? print("sluice " SLUICE_VERSION "\n")
                             : print(resource::Map{{"version", SLUICE_VERSION}}, format);
    return printed ? kExitOk : kExitFailure;
  }
  if (completion_verb->parsed()) return completion(app, shell);
  if (model_verb->parsed()) return model::run(model_options);

  const auto set_up_log = [&] {
    log::Level level = log::Level::kInfo;
    log::parse_level(log_level, level);
    log::set_level(level);
    log::set_format(log_format == "json" ? log::Format::kJson : log::Format::kLogfmt);
  };
  if (operator_verb->parsed()) {
    set_up_log();
    operator_options.gateway_probe = gateway_probe == "on";
    if (const char* pod = std::getenv("POD_NAME")) operator_options.pod_name = pod;
    if (!settings_of(common, false, operator_options.settings)) return kExitUsage;
    return operate(operator_options);
  }
  if (serve_verb->parsed()) {
    for (const std::string& text : binds) {
      const auto bind = parse_bind(text);
      if (!bind) {
        std::fprintf(stderr,
                     "error: --bind %s: write GATEWAYPORT=[ADDRESS:]PORT, such as 80=8080 or "
                     "443=127.0.0.1:8443\n",
                     text.c_str());
        return kExitUsage;
      }
      serve_options.gateway.binds.push_back(*bind);
    }
    set_up_log();
    serve_options.gateway.access_log = access_log == "json"   ? gateway::AccessLog::kJson
                                       : access_log == "text" ? gateway::AccessLog::kText
                                                              : gateway::AccessLog::kOff;
    serve_options.gateway.workers =
        workers != 0 ? workers : std::max(1U, std::thread::hardware_concurrency());
    serve_options.files = common.files;
    if (!settings_of(common, true, serve_options.settings)) return kExitUsage;
    return serve(serve_options);
  }
  Source source;
  compile::Settings settings;
  const bool local = render_verb->parsed() ? render_local : !common.cluster;
  if (app.get_subcommands().empty()) {
    print(app.help());
    return kExitUsage;
  }
  if (const int opened = open_source(common, local, source, settings); opened != kExitOk)
    return opened;
  const Format format = format_of(common, Format::kTable);
  if (render_verb->parsed()) return render({source, settings, format_of(common, Format::kYaml)});
  if (validate_verb->parsed()) return validate({source, settings, format, strict});
  if (routes_verb->parsed()) return routes({source, settings, format});
  if (explain_verb->parsed()) return explain({source, settings, format, request});
  return status({source.live, !common.live.names.empty(), format});
}

}  // namespace
}  // namespace sluice::cli

int main(int argc, char** argv) {
  try {
    return sluice::cli::run(argc, argv);
  } catch (const std::exception& error) {  // of libraries, at start: memory, locale
    std::fprintf(stderr, "sluice: %s\n", error.what());
    return sluice::cli::kExitFailure;
  }
}
