// The server that the API server asks before it stores a SeldonDeployment. HTTPS on a port of its
// own, answers on a thread of its own, so that neither a start with ten thousand objects nor who
// leads matters to whoever waits for an answer.
//
//   webhook::Webhook webhook(client, settings, {.address = "0.0.0.0:4443", .keeper = {...}});
//   Result<std::string> bound = webhook.start();
//
// Limits: connections_max, body and time as below; the oldest connection goes when another comes.
// Thread: made, started and destroyed by one; counts() and state() from any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "compile/settings.h"
#include "kube/client.h"
#include "webhook/keeper.h"

namespace sluice::webhook {

inline constexpr std::string_view kPath = "/validate-machinelearning-seldon-io-v1-seldondeployment";
// An API server takes 3 MiB of an object; an update comes with the object before.
inline constexpr std::size_t kReviewBytesMax = 8U << 20U;
inline constexpr std::size_t kConnectionsMax = 64;
// From accept to the last byte: the chart's ValidatingWebhookConfiguration waits as long.
inline constexpr Milliseconds kExchangeMax{5'000};

struct Options {
  std::string address;  // "0.0.0.0:4443"
  KeeperOptions keeper;
};

struct Counts {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t malformed = 0;  // no AdmissionReview
  std::uint64_t busy_ns = 0;    // spent on answers
};

class Webhook {
 public:
  // `client`: the keeper's own.
  Webhook(kube::Client* client, compile::Settings settings, Options options);
  ~Webhook();  // stops answering at once

  // Binds, and begins to keep certificates and to answer. Gives the bound address. Fails (kConfig)
  // with what the system said.
  Result<std::string> start();
  Counts counts() const noexcept;
  Keeper::State state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::webhook
