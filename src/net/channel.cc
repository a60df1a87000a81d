#include "net/channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"

namespace sluice::net {

namespace {
// One TLS record holds at most 16 KiB; pieces are gathered into records of that size.
constexpr std::size_t kRecordBytes = 16U << 10U;
// Memory that a drained `pending` may keep for the next time.
constexpr std::size_t kPendingKeptBytes = 16U << 10U;
}  // namespace

bool Channel::open(Loop& loop, Fd fd, std::unique_ptr<TlsSession> tls, Callback callback,
                   void* context) {
  SLUICE_ASSERT(!fd_.is_open());
  fd_ = std::move(fd);
  tls_ = std::move(tls);
  callback_ = callback;
  context_ = context;
  readable_ = false;
  peer_closed_ = false;
  broken_ = false;
  error_ = 0;
  bytes_written_ = 0;
  pending_.clear();
  pending_at_ = 0;
  if (!watch_.start(loop, fd_.get(), kReadable | kWritable | kPeerClosed | kEdge, on_events,
                    this)) {
    fd_.close();
    tls_.reset();
    return false;
  }
  return true;
}

void Channel::close() noexcept {
  if (!fd_.is_open()) return;
  watch_.stop();
  tls_.reset();
  fd_.close();
  pending_.clear();
  pending_at_ = 0;
}

void Channel::on_events(void* self, std::uint32_t events) {
  auto& channel = *static_cast<Channel*>(self);
  if ((events & (kReadable | kPeerClosed | kHungUp)) != 0) channel.readable_ = true;
  if ((events & (kPeerClosed | kHungUp)) != 0) channel.peer_closed_ = true;
  if ((events & kHungUp) != 0) channel.broken_ = true;
  channel.callback_(channel.context_);
}

IoStatus Channel::handshake() {
  if (tls_ == nullptr) return IoStatus::kOk;
  switch (tls_->handshake()) {
    case TlsStatus::kOk:
      readable_ = true;  // data may have come in the same segment as the end of the handshake
      return IoStatus::kOk;
    case TlsStatus::kWantRead:
    case TlsStatus::kWantWrite:
      return peer_closed_ ? IoStatus::kFailed : IoStatus::kWait;
    default:
      return IoStatus::kFailed;
  }
}

IoStatus Channel::read(char* data, std::size_t& size) {
  if (tls_ != nullptr) {
    const TlsStatus status = tls_->read(data, size);
    if (status == TlsStatus::kOk) {
      if (tls_->is_drained() && !peer_closed_) readable_ = false;
      return IoStatus::kOk;
    }
    if (status == TlsStatus::kWantRead || status == TlsStatus::kWantWrite) {
      readable_ = false;
      return IoStatus::kWait;
    }
    return status == TlsStatus::kClosed ? IoStatus::kClosed : IoStatus::kFailed;
  }
  const ssize_t got = recv(fd_.get(), data, size, 0);
  if (got > 0) {
    // epoll(7): a stream that gave less than asked is empty, the next byte makes an edge. Unless
    // the peer closed: that edge is behind us and the end is still to be read.
    if (static_cast<std::size_t>(got) < size && !peer_closed_) readable_ = false;
    size = static_cast<std::size_t>(got);
    return IoStatus::kOk;
  }
  if (got == 0) return IoStatus::kClosed;
  if (errno == EAGAIN || errno == EINTR) {
    readable_ = errno == EINTR;
    return IoStatus::kWait;
  }
  error_ = errno;
  return IoStatus::kFailed;
}

IoStatus Channel::write(std::span<const iovec> pieces) {
  if (is_blocked()) {
    keep(pieces, 0);
    return IoStatus::kWait;
  }
  std::size_t written = 0;
  const IoStatus status =
      tls_ == nullptr ? write_plain(pieces, written) : write_tls(pieces, written);
  bytes_written_ += written;
  if (status == IoStatus::kWait) keep(pieces, written);
  return status;
}

IoStatus Channel::write_plain(std::span<const iovec> pieces, std::size_t& written) {
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  if (total == 0) return IoStatus::kOk;
  ssize_t put = 0;
  if (pieces.size() == 1) {
    put = send(fd_.get(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL);
  } else {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    put = sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  }
  if (put < 0) {
    if (errno == EAGAIN || errno == EINTR) return IoStatus::kWait;
    error_ = errno;
    return IoStatus::kFailed;
  }
  written = static_cast<std::size_t>(put);
  return written == total ? IoStatus::kOk : IoStatus::kWait;
}

IoStatus Channel::write_tls(std::span<const iovec> pieces, std::size_t& written) {
  char record[kRecordBytes];
  std::size_t index = 0;
  std::size_t offset = 0;
  while (index < pieces.size()) {
    const char* data = nullptr;
    std::size_t size = 0;
    if (pieces[index].iov_len - offset >= kRecordBytes || index + 1 == pieces.size()) {
      data = static_cast<const char*>(pieces[index].iov_base) + offset;  // no need to gather
      size = std::min(pieces[index].iov_len - offset, kRecordBytes);
    } else {
      std::size_t from = offset;
      for (std::size_t i = index; i < pieces.size() && size < kRecordBytes; ++i, from = 0) {
        const std::size_t some = std::min(pieces[i].iov_len - from, kRecordBytes - size);
        std::memcpy(record + size, static_cast<const char*>(pieces[i].iov_base) + from, some);
        size += some;
      }
      data = record;
    }
    std::size_t put = size;
    const TlsStatus status = size == 0 ? TlsStatus::kOk : tls_->write(data, put);
    if (status == TlsStatus::kWantWrite || status == TlsStatus::kWantRead) return IoStatus::kWait;
    if (status != TlsStatus::kOk) return IoStatus::kFailed;
    written += put;
    offset += put;
    while (index < pieces.size() && offset >= pieces[index].iov_len) {
      offset -= pieces[index].iov_len;
      ++index;
    }
  }
  return IoStatus::kOk;
}

void Channel::keep(std::span<const iovec> pieces, std::size_t written) {
  for (const iovec& piece : pieces) {
    if (written >= piece.iov_len) {
      written -= piece.iov_len;
      continue;
    }
    const char* data = static_cast<const char*>(piece.iov_base);
    pending_.insert(pending_.end(), data + written, data + piece.iov_len);
    written = 0;
  }
}

IoStatus Channel::flush() {
  while (is_blocked()) {
    const iovec rest{pending_.data() + pending_at_, pending_.size() - pending_at_};
    std::size_t written = 0;
    const IoStatus status =
        tls_ == nullptr ? write_plain({&rest, 1}, written) : write_tls({&rest, 1}, written);
    bytes_written_ += written;
    pending_at_ += written;
    if (status == IoStatus::kFailed) return status;
    if (status == IoStatus::kWait && is_blocked()) return IoStatus::kWait;
  }
  pending_.clear();
  pending_at_ = 0;
  if (pending_.capacity() > kPendingKeptBytes) pending_.shrink_to_fit();
  return IoStatus::kOk;
}

void Channel::shutdown_write() noexcept {
  if (tls_ != nullptr) tls_->shutdown();
  if (fd_.is_open()) shutdown(fd_.get(), SHUT_WR);
}

}  // namespace sluice::net
