#include "kube/file.h"

#include <fcntl.h>
#include <unistd.h>

#include "net/socket.h"

namespace sluice::kube {

bool read_file(const std::string& path, std::string& text) {
  const net::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return false;
  text.clear();
  char buffer[16384];
  for (;;) {
    const ssize_t got = read(fd.get(), buffer, sizeof buffer);
    if (got < 0) return false;
    if (got == 0) return true;
    text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kSmallFileBytesMax) return false;
  }
}

}  // namespace sluice::kube
