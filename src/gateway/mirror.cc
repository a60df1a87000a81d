#include "gateway/mirror.h"

#include "gateway/worker.h"
#include "http/write.h"

namespace sluice::gateway {

namespace {
// A shadow that has not answered by then is forgotten.
constexpr Milliseconds kTimeout{60'000};
}  // namespace

Mirror::Mirror(Worker& worker) : worker_(worker), timer_(on_timeout, this) {}

bool Mirror::start(ClusterState& state, std::string_view method, std::string_view host,
                   std::string_view head, bool chunked) {
  over_ = false;
  ++copy_;
  state_ = &state;
  endpoint_ = nullptr;
  upstream_ = nullptr;
  method_.assign(method);
  host_.assign(host);
  waiting_.assign(head.begin(), head.end());
  chunked_ = chunked;
  connected_ = complete_ = false;
  if (!lease()) {
    over_ = true;
    return false;
  }
  worker_.metrics().mirrors.add();
  if (over_) return true;  // the first write failed: given back already
  timer_.arm(worker_.loop(), kTimeout);
  return true;
}

bool Mirror::lease() {
  if (state_->requests >= state_->cluster->pool.requests_max) return false;
  endpoint_ = worker_.clusters().pick(*state_, Tried{}, 0, worker_.now_ns());
  if (endpoint_ == nullptr) return false;
  UpstreamConnection* connection = nullptr;
  const Lease lease =
      worker_.clusters().lease(*state_, *endpoint_, *this, false, host_, connection);
  if (lease == Lease::kReady || lease == Lease::kConnecting || lease == Lease::kWaiting) {
    ++state_->requests;
    ++endpoint_->active;
    upstream_ = connection;
    if (lease == Lease::kReady) on_connected();
    return true;
  }
  endpoint_ = nullptr;
  return false;
}

void Mirror::on_pool_room() {
  --state_->requests;
  --endpoint_->active;
  endpoint_ = nullptr;
  if (!lease()) drop();
}

void Mirror::on_connected() {
  connected_ = true;
  upstream_->expect_response_to(method_);
  push();
}

void Mirror::take_body(std::string_view data, bool complete) {
  if (over_) return;
  const auto add = [&](std::string_view text) {
    waiting_.insert(waiting_.end(), text.begin(), text.end());
  };
  if (chunked_ && !data.empty()) {
    char head[http::kChunkHeadBytesMax];
    add({head, http::write_chunk_head(head, data.size())});
    add(data);
    add("\r\n");
  } else {
    add(data);
  }
  if (complete && !complete_ && chunked_) add(http::kLastChunk);
  complete_ = complete;
  if (waiting_.size() > kWaitingBytesMax) return drop();
  push();
}

void Mirror::push() {
  if (over_ || !connected_ || upstream_ == nullptr || upstream_->is_blocked()) return;
  if (!waiting_.empty()) {
    const iovec all{waiting_.data(), waiting_.size()};
    const net::IoStatus status = upstream_->write({&all, 1});
    waiting_.clear();
    if (status == net::IoStatus::kFailed) return upstream_->fail_write();
  }
  if (complete_) upstream_->finish_request();
}

void Mirror::on_response_end() {
  upstream_ = nullptr;
  finish();
}

void Mirror::on_upstream_failure(Failure, bool, bool) {
  upstream_ = nullptr;
  drop();
}

void Mirror::on_timeout(void* self) { static_cast<Mirror*>(self)->drop(); }

void Mirror::cut() {
  if (!over_ && !complete_) drop();
}

void Mirror::drop() {
  worker_.metrics().mirrors_dropped.add();
  finish();
}

void Mirror::finish() {
  if (over_) return;
  over_ = true;
  timer_.disarm();
  worker_.clusters().stop_waiting(*this);
  if (upstream_ != nullptr) {
    UpstreamConnection* connection = upstream_;
    upstream_ = nullptr;
    connection->abandon();
  }
  if (endpoint_ != nullptr) {
    --state_->requests;
    --endpoint_->active;
    endpoint_ = nullptr;
  }
  if (waiting_.capacity() > kSmallBufferBytes) {
    waiting_.clear();
    waiting_.shrink_to_fit();
  }
  worker_.give_back(*this);
}

}  // namespace sluice::gateway
