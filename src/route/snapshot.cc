#include "route/snapshot.h"

#include <utility>

namespace sluice::route {

void ClusterTable::set(ClusterId id, std::shared_ptr<const Cluster> cluster) {
  const std::size_t index = id / kChunk;
  if (index >= chunks_.size()) {
    if (cluster == nullptr) return;
    chunks_.resize(index + 1);
  }
  auto chunk = chunks_[index] == nullptr ? std::make_shared<Chunk>(kChunk)
                                         : std::make_shared<Chunk>(*chunks_[index]);
  (*chunk)[id % kChunk] = std::move(cluster);
  chunks_[index] = std::move(chunk);
}

}  // namespace sluice::route
