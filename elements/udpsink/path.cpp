#include "elements/udpsink/path.hpp"

namespace avc::udpsink {

std::uint32_t Exits::get() {
  auto free = free_.lock();
  if (free->empty()) {
    free->push_back(static_cast<std::uint32_t>(exits_.size()));
    exits_.grow();
  }
  const std::uint32_t number = free->back();
  free->pop_back();
  return number;
}

void Exits::give_back(std::uint32_t number, Exit &exit) {
  std::destroy_at(&exit);
  std::construct_at(&exit);
  free_.lock()->push_back(number);
}

Path::Path(std::shared_ptr<Exits> all, std::shared_ptr<Outlet> to)
    : exits(std::move(all)), outlet(std::move(to)), number(exits->get()), exit((*exits)[number]) {
  exit.path = this;
  outlet->count(exit.sent);
}

Path::~Path() {
  outlet->counted(exit.sent);
  exits->give_back(number, exit);
}

}  // namespace avc::udpsink
