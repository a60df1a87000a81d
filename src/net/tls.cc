#include "net/tls.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/percent.h"
#include "base/text.h"

namespace sluice::net {

namespace {

template <auto function>
struct Freed {
  template <class T>
  void operator()(T* pointer) const noexcept {
    function(pointer);
  }
};
using SslCtx = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Freed<SSL_free>>;
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

std::string reason_of_failure(const char* otherwise) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? otherwise : reason;
  ERR_clear_error();
  return text;
}

Bio memory(std::string_view text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// An empty password: OpenSSL would ask the terminal otherwise.
int no_password(char*, int, int, void*) { return 0; }

Result<void> use_certificate(SSL_CTX* ctx, const std::string& chain_pem,
                             const std::string& key_pem) {
  const Bio chain = memory(chain_pem);
  const Certificate leaf(PEM_read_bio_X509_AUX(chain.get(), nullptr, no_password, nullptr));
  if (leaf == nullptr) return fail(Blame::kConfig, "there is no PEM certificate to read");
  if (SSL_CTX_use_certificate(ctx, leaf.get()) != 1) {
    return fail(Blame::kConfig, "the certificate can't be used: " + reason_of_failure("unknown"));
  }
  for (;;) {
    X509* next = PEM_read_bio_X509(chain.get(), nullptr, no_password, nullptr);
    if (next == nullptr) break;
    if (SSL_CTX_add0_chain_cert(ctx, next) != 1) X509_free(next);
  }
  ERR_clear_error();  // the end of the text is reported as an error
  const Bio key_text = memory(key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    return fail(Blame::kConfig, "the private key can't be read: " + reason_of_failure("no PEM"));
  }
  if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1 || SSL_CTX_check_private_key(ctx) != 1) {
    ERR_clear_error();
    return fail(Blame::kConfig, "the private key does not fit the certificate");
  }
  return {};
}

Result<void> trust(SSL_CTX* ctx, const std::string& ca_pem, const std::string& crl_pem) {
  X509_STORE* store = SSL_CTX_get_cert_store(ctx);
  const Bio text = memory(ca_pem);
  int count = 0;
  for (;;) {
    const Certificate ca(PEM_read_bio_X509(text.get(), nullptr, no_password, nullptr));
    if (ca == nullptr) break;
    X509_STORE_add_cert(store, ca.get());
    SSL_CTX_add_client_CA(ctx, ca.get());
    ++count;
  }
  if (count == 0) return fail(Blame::kConfig, "there is no PEM certificate of a CA to read");
  if (!crl_pem.empty()) {
    const Bio crl_text = memory(crl_pem);
    X509_CRL* crl = PEM_read_bio_X509_CRL(crl_text.get(), nullptr, no_password, nullptr);
    if (crl == nullptr) return fail(Blame::kConfig, "the revocation list can't be read");
    X509_STORE_add_crl(store, crl);
    X509_CRL_free(crl);
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
  ERR_clear_error();
  return {};
}

// One key for the tickets of every context and worker of this process, so that a session goes on
// whatever worker the kernel picks and across a rotation of certificates.
const unsigned char* ticket_keys() {
  static unsigned char keys[80];
  static const bool filled = RAND_bytes(keys, sizeof keys) == 1;
  SLUICE_ASSERT(filled);
  return keys;
}

// --- A BIO on a descriptor that knows when the socket is empty, so that nobody has to find out by
// a read that fails, and that can be silenced.

struct Wire {
  int fd = -1;
  bool drained = false;
  bool muted = false;  // alerts are swallowed: Envoy closes without one when no server fits
};

Wire& wire_of(BIO* bio) { return *static_cast<Wire*>(BIO_get_data(bio)); }

int wire_read(BIO* bio, char* data, int size) {
  Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(wire.fd, data, static_cast<std::size_t>(size), 0);
  wire.drained = got < size && got != 0;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

int wire_write(BIO* bio, const char* data, int size) {
  const Wire& wire = wire_of(bio);
  BIO_clear_retry_flags(bio);
  if (wire.muted) return size;
  const ssize_t put = send(wire.fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(put);
}

long wire_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

const BIO_METHOD* wire_method() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "sluice");
    BIO_meth_set_read(made, wire_read);
    BIO_meth_set_write(made, wire_write);
    BIO_meth_set_ctrl(made, wire_control);
    return made;
  }();
  return method;
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

// DNS and URI names of a certificate, for x-forwarded-client-cert and for subject_alt_names.
std::vector<std::pair<int, std::string>> alt_names(X509* certificate) {
  std::vector<std::pair<int, std::string>> names;
  auto* list = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (list == nullptr) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list, i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text =
        name->type == GEN_DNS ? name->d.dNSName : name->d.uniformResourceIdentifier;
    names.emplace_back(name->type,
                       std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                   static_cast<std::size_t>(ASN1_STRING_length(text))));
  }
  GENERAL_NAMES_free(list);
  return names;
}

// Hash=..;Cert="..";Subject="..";URI=..;DNS=.. as Envoy's docs on x-forwarded-client-cert have it.
std::string describe(X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text = "Hash=";
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 15U];
  }
  const Bio pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(pem.get(), certificate);
  char* data = nullptr;
  const long length = BIO_get_mem_data(pem.get(), &data);
  text += ";Cert=\"" + percent_encoded({data, static_cast<std::size_t>(length)}) + "\"";
  const Bio subject(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(subject.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  const long subject_length = BIO_get_mem_data(subject.get(), &data);
  text += ";Subject=\"" + std::string(data, static_cast<std::size_t>(subject_length)) + "\"";
  std::string uris;
  std::string names;
  for (const auto& [type, name] : alt_names(certificate)) {
    if (type == GEN_URI) uris += ";URI=" + name;
    if (type == GEN_DNS) names += ";DNS=" + name;
  }
  return text + (uris.empty() ? ";URI=" : uris) + names;
}

}  // namespace

// ---

struct TlsContext::Impl {
  SslCtx ctx;
  TlsServerOptions::Client client = TlsServerOptions::Client::kNone;
  int version_min = 0x0303;
  int version_max = 0x0304;
  bool verify = false;  // of a server, as a client
  std::string ciphers;  // "": the default
  std::vector<std::string> subject_alt_names;
  unsigned char session_context[32] = {};  // tickets of another server are not honoured
};

TlsContext::TlsContext(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::make_server(const TlsServerOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->ctx = SslCtx(SSL_CTX_new(TLS_server_method()));
  SLUICE_ASSERT(impl->ctx != nullptr);
  SSL_CTX* ctx = impl->ctx.get();
  impl->client = options.client;
  impl->version_min = options.version_min;
  impl->version_max = options.version_max;
  impl->subject_alt_names = options.subject_alt_names;
  SLUICE_CHECK(use_certificate(ctx, options.certificate_pem, options.key_pem));
  if (options.client != TlsServerOptions::Client::kNone && !options.ca_pem.empty()) {
    SLUICE_CHECK(trust(ctx, options.ca_pem, options.crl_pem));
  }
  // Tickets are bound to what decides about clients: who trusts other CAs never sees them.
  const std::string who = options.ca_pem + '\0' + options.certificate_pem +
                          std::to_string(static_cast<int>(options.client));
  unsigned size = 0;
  EVP_Digest(who.data(), who.size(), impl->session_context, &size, EVP_sha256(), nullptr);
  if (!options.cipher_suites.empty()) {
    if (SSL_CTX_set_cipher_list(ctx, options.cipher_suites.c_str()) == 1) {
      impl->ciphers = options.cipher_suites;
    }
    ERR_clear_error();  // none of them known: the default stays
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

Result<std::shared_ptr<const TlsContext>> TlsContext::make_client(const TlsClientOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->ctx = SslCtx(SSL_CTX_new(TLS_client_method()));
  SLUICE_ASSERT(impl->ctx != nullptr);
  SSL_CTX* ctx = impl->ctx.get();
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
  impl->verify = options.verify;
  impl->subject_alt_names = options.subject_alt_names;
  if (!options.certificate_pem.empty()) {
    SLUICE_CHECK(use_certificate(ctx, options.certificate_pem, options.key_pem));
  }
  if (!options.ca_pem.empty()) {
    SLUICE_CHECK(trust(ctx, options.ca_pem, ""));
  } else if (options.verify) {
    SSL_CTX_set_default_verify_paths(ctx);
  }
  if (options.verify && !options.host.empty()) {
    X509_VERIFY_PARAM* param = SSL_CTX_get0_param(ctx);
    const int set = is_address(options.host)
                        ? X509_VERIFY_PARAM_set1_ip_asc(param, options.host.c_str())
                        : X509_VERIFY_PARAM_set1_host(param, options.host.c_str(), 0);
    if (set != 1) return fail(Blame::kConfig, "no certificate can have the name " + options.host);
  }
  return std::shared_ptr<const TlsContext>(new TlsContext(std::move(impl)));
}

// ---

struct TlsSession::Impl {
  Ssl ssl;
  Wire wire;
  TlsChooser choose = nullptr;
  void* context = nullptr;
  const TlsContext* chosen = nullptr;
  std::shared_ptr<const TlsContext> kept;
  std::string server_name;
  std::string error;
  std::string peer;
  bool done = false;

  TlsStatus status(int result);
  bool accepts_peer();
};

namespace {

// SNI of a client hello: extension 0, a list with one name of type 0 (RFC 6066 section 3).
std::string server_name_in(SSL* ssl) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  if (size < 5 || data[2] != 0) return {};
  const std::size_t length = (std::size_t{data[3]} << 8U) | data[4];
  if (length + 5 > size) return {};
  return to_lower({reinterpret_cast<const char*>(data + 5), length});
}

int on_client_hello(SSL* ssl, int* alert, void*) {
  auto& session = *static_cast<TlsSession::Impl*>(SSL_get_app_data(ssl));
  session.server_name = server_name_in(ssl);
  session.kept = session.choose(session.context, session.server_name);
  session.chosen = session.kept.get();
  if (session.chosen == nullptr) {
    session.error = "no TLS server takes the name \"" + session.server_name + "\"";
    session.wire.muted = true;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_CLIENT_HELLO_ERROR;
  }
  const TlsContext::Impl& chosen = session.chosen->impl();
  SSL_set_SSL_CTX(ssl, chosen.ctx.get());
  SSL_set_min_proto_version(ssl, chosen.version_min);
  SSL_set_max_proto_version(ssl, chosen.version_max);
  SSL_set_session_id_context(ssl, chosen.session_context, sizeof chosen.session_context);
  // SSL_set_SSL_CTX leaves the ciphers as they were.
  if (!chosen.ciphers.empty()) SSL_set_cipher_list(ssl, chosen.ciphers.c_str());
  switch (chosen.client) {
    case TlsServerOptions::Client::kNone:
      SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
      break;
    case TlsServerOptions::Client::kOptional:
      SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
      break;
    case TlsServerOptions::Client::kRequired:
      SSL_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
      break;
  }
  return SSL_CLIENT_HELLO_SUCCESS;
}

// http/1.1 alone for now; a client that offers only others gets no answer to its offer, as with
// Envoy.
int on_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
            unsigned in_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, in, in_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// What every server connection starts with, before the client's hello says which server is meant.
SSL_CTX* greeting_context() {
  static SSL_CTX* const ctx = [] {
    SSL_CTX* made = SSL_CTX_new(TLS_server_method());
    SLUICE_ASSERT(made != nullptr);
    SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                               SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(made, 1);
    SSL_CTX_set_options(made, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);  // tickets only: no shared state
    SSL_CTX_set_tlsext_ticket_keys(made, const_cast<unsigned char*>(ticket_keys()), 80);
    SSL_CTX_set_num_tickets(made, 1);
    SSL_CTX_set_client_hello_cb(made, on_client_hello, nullptr);
    SSL_CTX_set_alpn_select_cb(made, on_alpn, nullptr);
    SSL_CTX_set_min_proto_version(made, TLS1_VERSION);
    return made;
  }();
  return ctx;
}

std::unique_ptr<TlsSession::Impl> make_session(SSL_CTX* ctx, int fd) {
  auto impl = std::make_unique<TlsSession::Impl>();
  impl->ssl = Ssl(SSL_new(ctx));
  impl->wire.fd = fd;
  BIO* bio = BIO_new(wire_method());
  SLUICE_ASSERT(impl->ssl != nullptr && bio != nullptr);
  BIO_set_data(bio, &impl->wire);
  BIO_set_init(bio, 1);
  SSL_set_bio(impl->ssl.get(), bio, bio);
  SSL_set_app_data(impl->ssl.get(), impl.get());
  return impl;
}

}  // namespace

TlsSession::TlsSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TlsSession::~TlsSession() = default;

std::unique_ptr<TlsSession> TlsSession::make_server(int fd, TlsChooser choose, void* context) {
  auto impl = make_session(greeting_context(), fd);
  impl->choose = choose;
  impl->context = context;
  SSL_set_accept_state(impl->ssl.get());
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(impl)));
}

std::unique_ptr<TlsSession> TlsSession::make_client(int fd, const TlsContext& context,
                                                    const std::string& server_name) {
  auto impl = make_session(context.impl().ctx.get(), fd);
  impl->chosen = &context;
  SSL* ssl = impl->ssl.get();
  SSL_set_connect_state(ssl);
  const bool named = !server_name.empty() && !is_address(server_name);
  if (named) SSL_set_tlsext_host_name(ssl, server_name.c_str());
  SSL_set_verify(ssl, context.impl().verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(impl)));
}

TlsStatus TlsSession::Impl::status(int result) {
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return TlsStatus::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return TlsStatus::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return TlsStatus::kClosed;
    default:
      if (error.empty()) error = reason_of_failure("the peer closed the connection");
      ERR_clear_error();
      return TlsStatus::kFailed;
  }
}

// A peer whose certificate was verified must also carry one of the names that were asked for.
bool TlsSession::Impl::accepts_peer() {
  const Certificate certificate(SSL_get1_peer_certificate(ssl.get()));
  if (certificate == nullptr) return true;  // whether one is needed was SSL_set_verify's business
  if (SSL_is_server(ssl.get()) == 1) peer = describe(certificate.get());
  const auto& wanted = chosen->impl().subject_alt_names;
  if (wanted.empty()) return true;
  for (const auto& [type, name] : alt_names(certificate.get())) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) return true;
  }
  error = "no name of the peer's certificate is among subjectAltNames";
  return false;
}

TlsStatus TlsSession::handshake() {
  if (impl_->done) return TlsStatus::kOk;
  const int result = SSL_do_handshake(impl_->ssl.get());
  if (result != 1) return impl_->status(result);
  if (!impl_->accepts_peer()) return TlsStatus::kFailed;
  impl_->done = true;
  return TlsStatus::kOk;
}

TlsStatus TlsSession::read(char* data, std::size_t& size) {
  std::size_t got = 0;
  const int result = SSL_read_ex(impl_->ssl.get(), data, size, &got);
  size = got;
  return result == 1 ? TlsStatus::kOk : impl_->status(result);
}

TlsStatus TlsSession::write(const char* data, std::size_t& size) {
  std::size_t put = 0;
  const int result = SSL_write_ex(impl_->ssl.get(), data, size, &put);
  size = put;
  return result == 1 ? TlsStatus::kOk : impl_->status(result);
}

bool TlsSession::is_drained() const noexcept {
  return impl_->wire.drained && SSL_has_pending(impl_->ssl.get()) == 0;
}

void TlsSession::shutdown() {
  if (impl_->done) SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
}

std::string_view TlsSession::server_name() const noexcept { return impl_->server_name; }
const std::string& TlsSession::error() const noexcept { return impl_->error; }
const std::string& TlsSession::peer_certificate() const noexcept { return impl_->peer; }

}  // namespace sluice::net
