// The base condition reaches chaosdegrader: each setting by its property, in an order that contradicts nothing.
#include "launcher/session/setter.hpp"

#include <algorithm>

#include "core/net/profiles.hpp"
#include "core/net/settings.hpp"
#include "elements/support/ptr.hpp"
#include "tests/check.hpp"

using namespace avc;
using namespace avc::session;

namespace {

struct Degrader {
  GstElement *element = gst_element_factory_make("chaosdegrader", nullptr);
  Degrader() {
    ck_assert(element != nullptr);
    gst_object_ref_sink(element);
  }
  ~Degrader() { gst_object_unref(element); }

  void take(const json::Network &network) {
    Setter set(element);
    set_base(set, network);
    const auto outcome = set.outcome();
    ck_assert_msg(static_cast<bool>(outcome), "%s", outcome ? "" : outcome.error().text().c_str());
  }

  // As text, so that numbers, words and truth values compare alike.
  std::string property(std::string name) const {
    std::ranges::replace(name, '_', '-');
    GValue value = G_VALUE_INIT;
    g_object_get_property(G_OBJECT(element), name.c_str(), &value);
    if (G_VALUE_HOLDS_STRING(&value)) {
      const std::string text = g_value_get_string(&value) != nullptr ? g_value_get_string(&value) : "";
      g_value_unset(&value);
      return text;
    }
    if (G_VALUE_HOLDS_ENUM(&value)) {
      auto *kinds = static_cast<GEnumClass *>(g_type_class_ref(G_VALUE_TYPE(&value)));
      const std::string nick = g_enum_get_value(kinds, g_value_get_enum(&value))->value_nick;
      g_type_class_unref(kinds);
      g_value_unset(&value);
      return nick;
    }
    GValue number = G_VALUE_INIT;
    g_value_init(&number, G_TYPE_DOUBLE);
    const bool boolean = G_VALUE_HOLDS_BOOLEAN(&value);
    if (boolean) {
      g_value_set_double(&number, g_value_get_boolean(&value));
    } else {
      ck_assert(g_value_transform(&value, &number));
    }
    const double plain = g_value_get_double(&number);
    g_value_unset(&value);
    return boolean ? plain != 0 ? "true" : "false" : std::to_string(plain);
  }
};

std::string wanted(const net::Setting &setting, double value) {
  return setting.is_number() ? std::to_string(value) : std::string(setting.words[static_cast<std::size_t>(value)]);
}

void holds(const Degrader &degrader, const net::Impairment &link, const std::string &of) {
  for (const net::Setting &setting : net::settings()) {
    const std::string got = degrader.property(std::string(setting.name));
    ck_assert_msg(got == wanted(setting, setting.get(link)), "%s: %s is %s, not %s", of.c_str(),
                  std::string(setting.name).c_str(), got.c_str(), wanted(setting, setting.get(link)).c_str());
  }
}

}  // namespace

START_TEST(every_setting_alone_reaches_its_property) {
  for (const net::Setting &setting : net::settings()) {
    Degrader degrader;
    json::Network network;
    const double before = setting.get(network.link);
    const double value = before != setting.high && setting.high < 100 ? setting.high : before == 50 ? 51 : 50;
    setting.set(network.link, setting.is_number() ? value : before == 0 ? 1 : 0);
    degrader.take(network);
    ck_assert_msg(degrader.property(std::string(setting.name)) == wanted(setting, setting.get(network.link)), "%s",
                  std::string(setting.name).c_str());
  }
}
END_TEST

START_TEST(every_profile_arrives_whole) {
  for (const net::Profile &profile : net::profiles()) {
    Degrader degrader;
    json::Network network;
    network.link = *net::profile(profile.name);
    network.trace = profile.name == "tunnel" ? "tunnel" : "";
    degrader.take(network);
    holds(degrader, network.link, std::string(profile.name));
    avc_assert_text(degrader.property("link-trace"), network.trace);
  }
}
END_TEST

START_TEST(what_belongs_together_is_accepted_together) {
  Degrader degrader;
  json::Network network;
  auto &link = network.link;
  link.loss_model = net::LossModel::pattern;
  link.loss_pattern = *net::LossPattern::parse("0010");
  link.slot_min_ms = 5;
  link.slot_max_ms = 8;
  link.markov_p13 = 20;
  link.markov_p31 = 30;
  link.markov_p32 = 60;
  degrader.take(network);
  holds(degrader, link, "all");
  avc_assert_text(degrader.property("loss-pattern"), "0010");
}
END_TEST

START_TEST(what_the_element_does_not_have_is_said) {
  Degrader degrader;
  Setter set(degrader.element);
  set("no-such-thing", 1.0)("nor-this", true);
  ck_assert(!set.outcome());
  avc_assert_text(set.outcome().error().field, "chaosdegrader");
  ck_assert(set.outcome().error().message.find("no-such-thing") != std::string::npos);
}
END_TEST

int main() {
  gst_init(nullptr, nullptr);
  return avc::test::run("setter", {every_setting_alone_reaches_its_property, every_profile_arrives_whole,
                                   what_belongs_together_is_accepted_together, what_the_element_does_not_have_is_said});
}
