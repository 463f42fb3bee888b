#include "launcher/config.hpp"

#include <gio/gio.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "core/json/json.hpp"

namespace avc::launcher {
namespace {

using Fault = std::optional<std::string>;  // what is wrong with a value, without its name

struct Setting {
  std::string_view flag;  // also its key in the file, with '_' for '-'; empty: environment only
  const char *environment;
  std::string_view argument, help;  // argument "": a switch
  bool repeats;                     // each value is added; in the environment they are separated by ','
  Fault (*apply)(Config &, const std::string &value, const ReadFile &read_file);
};

Fault number_into(auto &slot, const std::string &value, std::uint64_t low, std::uint64_t high) {
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || fault != std::errc() || end != value.data() + value.size() || number < low || number > high) {
    return "must be a whole number from " + std::to_string(low) + " to " + std::to_string(high) + ", not \"" + value +
           "\"";
  }
  slot = static_cast<std::remove_reference_t<decltype(slot)>>(number);
  return {};
}

Fault endpoint_into(std::string &host, std::uint16_t &port, const std::string &value) {
  const auto colon = value.rfind(':');
  if (colon == std::string::npos) return "must be HOST:PORT, not \"" + value + "\"";
  host = value.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host == "*") host.clear();
  return number_into(port, value.substr(colon + 1), 0, 65535);
}

Fault set_listen(Config &config, const std::string &value, const ReadFile &) {
  return endpoint_into(config.listen_host, config.listen_port, value);
}

Fault set_rtsp(Config &config, const std::string &value, const ReadFile &) {
  Endpoint endpoint;
  auto fault = endpoint_into(endpoint.host, endpoint.port, value);
  if (!fault) config.rtsp = endpoint;
  return fault;
}

// What fits a header: one printable word (RFC 6750 section 2.1). `whose` names the text in errors; it is never shown.
Fault set_token(std::string &slot, const std::string &text, const std::string &whose) {
  constexpr std::size_t kLongest = 4096;
  const auto first = text.find_first_not_of(" \t\r\n"), last = text.find_last_not_of(" \t\r\n");
  if (first == std::string::npos) return whose + " is empty";
  const std::string token = text.substr(first, last - first + 1);
  if (token.size() > kLongest) return whose + " is longer than " + std::to_string(kLongest) + " bytes";
  if (!std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; }))
    return whose + " must hold one word of printable ASCII";
  slot = token;
  return {};
}

Fault token_from(Config &config, std::string &slot, const std::string &path, const ReadFile &read_file) {
  const auto text = read_file(path);
  if (!text) return text.error().message;
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (!fault && (status.permissions() & std::filesystem::perms::others_read) != std::filesystem::perms::none) {
    config.warnings.push_back(path + " can be read by every user of this machine; chmod 600 would keep its token");
  }
  return set_token(slot, *text, path);
}

Fault add_target(Config &config, const std::string &value, const ReadFile &) {
  GError *error = nullptr;
  GInetAddressMask *mask = g_inet_address_mask_new_from_string(value.c_str(), &error);
  if (mask == nullptr) {
    g_clear_error(&error);
    return "must be an address range such as 192.0.2.0/24, not \"" + value + "\"";
  }
  g_object_unref(mask);
  config.allow_targets.push_back(value);
  return {};
}

Fault add_ice_address(Config &config, const std::string &value, const ReadFile &) {
  if (!g_hostname_is_ip_address(value.c_str())) return "must be an address of this machine, not \"" + value + "\"";
  config.ice_addresses.push_back(value);
  return {};
}

Fault set_switch(bool &slot, const std::string &value) {
  if (value != "1" && value != "0" && value != "true" && value != "false" && !value.empty()) {
    return "must be 0 or 1, not \"" + value + "\"";
  }
  slot = value == "1" || value == "true";
  return {};
}

const Setting kSettings[] = {
    {"listen", "AVCHAOS_LISTEN", "HOST:PORT", "where to listen (127.0.0.1:8080); port 0 takes any free one", false,
     set_listen},
    {"rtsp", "AVCHAOS_RTSP", "HOST:PORT",
     "let participants be watched over RTSP there, at /TEST/PARTICIPANT (off); port 0 takes any free one", false,
     set_rtsp},
    {"state-dir", "AVCHAOS_STATE_DIR", "DIR", "where results are kept ($XDG_STATE_HOME/gst-avchaos)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       if (v.empty()) return "must not be empty";
       c.state_dir = v;
       return {};
     }},
    {"media-dir", "AVCHAOS_MEDIA_DIR", "DIR", "media files may be in here (repeatable)", true,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       if (!g_file_test(v.c_str(), G_FILE_TEST_IS_DIR)) return v + " is not a directory";
       c.media_dirs.push_back(v);
       return {};
     }},
    {"profiles", "AVCHAOS_PROFILES", "FILE", "network profiles of your own, beside those built in", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.profiles = v;
       return {};
     }},
    {"calibration", "AVCHAOS_CALIBRATION", "FILE",
     "what a packet costs here (calibration.json in the state directory, or in its default place)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.calibration = v;
       if (!g_file_test(v.c_str(), G_FILE_TEST_IS_REGULAR))
         c.warnings.push_back("there is no file " + v + " yet; avchaos doctor --calibrate makes it");
       return {};
     }},
    {"token-file", "AVCHAOS_TOKEN_FILE", "FILE", "ask for the bearer token in this file", false,
     [](Config &c, const std::string &v, const ReadFile &read) -> Fault { return token_from(c, c.token, v, read); }},
    {"", "AVCHAOS_TOKEN", "TOKEN", "ask for this bearer token", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault { return set_token(c.token, v, "it"); }},
    {"metrics-token-file", "AVCHAOS_METRICS_TOKEN_FILE", "FILE", "ask for this token at /metrics (else it is open)",
     false,
     [](Config &c, const std::string &v, const ReadFile &read) -> Fault {
       return token_from(c, c.metrics_token, v, read);
     }},
    {"allow-target", "AVCHAOS_ALLOW_TARGET", "CIDR", "send here too, beside loopback and private ranges (repeatable)",
     true, add_target},
    {"max-participants", "AVCHAOS_MAX_PARTICIPANTS", "N", "participants of all tests together (2000)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       return number_into(c.max_participants, v, 1, 100000);
     }},
    {"contexts", "AVCHAOS_CONTEXTS", "N", "sending threads at most (one per processor, at most 4)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault { return number_into(c.contexts, v, 1, 64); }},
    {"ice-address", "AVCHAOS_ICE_ADDRESS", "ADDRESS",
     "viewers over WebRTC reach us here (the address of --listen; beyond loopback all of them; repeatable)", true,
     add_ice_address},
    {"ice-policy", "AVCHAOS_ICE_POLICY", "all|relay", "relay: viewers come through a TURN server only (all)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       if (v != "all" && v != "relay") return "must be all or relay, not \"" + v + "\"";
       c.ice_relay_only = v == "relay";
       return {};
     }},
    {"", "TURN_HOST", "HOST[:PORT]", "TURN server for viewers over WebRTC (none)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.turn_host = v;
       return {};
     }},
    {"", "TURN_USERNAME", "NAME", "its user (webrtc)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.turn_username = v;
       return {};
     }},
    {"", "TURN_PASSWORD", "TEXT", "and password (webrtc123)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.turn_password = v;
       return {};
     }},
    {"", "TURN_REPLICAS", "N", "above 1: TURN_HOST-0.TURN_HOST and so on, in turn by participant (1)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       return number_into(c.turn_replicas, v, 0, 1000);
     }},
    {"", "AVCHAOS_ALLOW_ANONYMOUS", "0|1", "listen beyond loopback without a token", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault { return set_switch(c.allow_anonymous, v); }},
    {"", "PARTITION_ID", "N", "this worker's part of the participants", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault { return number_into(c.partition, v, 0, 100000); }},
    {"", "TOTAL_PARTITIONS", "N", "number of workers", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       return number_into(c.partitions, v, 0, 100000);
     }},
    {"", "MEDIA_PATH", "FILE", "played where a test names no media", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.media_path = v;
       return {};
     }},
    {"", "MEDIA_VIDEO_PATH", "FILE", "as MEDIA_PATH, for the picture; without effect beside it", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.media_video_path = v;
       return {};
     }},
    {"", "MEDIA_AUDIO_PATH", "FILE", "as MEDIA_PATH, for the sound; without effect beside it", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.media_audio_path = v;
       return {};
     }},
    {"", "UDP_TARGET_HOST", "HOST", "where tests without a target send, with UDP_TARGET_PORT", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       c.udp_target_host = v;
       return {};
     }},
    {"", "UDP_TARGET_PORT", "PORT", "alone: the port on 127.0.0.1 (5002)", false,
     [](Config &c, const std::string &v, const ReadFile &) -> Fault {
       return number_into(c.udp_target_port, v, 0, 65535);
     }},
    {"", "KUBERNETES_SERVICE_HOST", "", "set inside a cluster: tests without a target send to udp-relay:5000", false,
     [](Config &c, const std::string &, const ReadFile &) -> Fault {
       c.in_kubernetes = true;
       return {};
     }},
};

const Setting *by_flag(std::string_view name) {
  const auto *found = std::find_if(std::begin(kSettings), std::end(kSettings),
                                   [&](const Setting &s) { return !s.flag.empty() && s.flag == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

std::string with_underscores(std::string_view name) {
  std::string key(name);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::vector<std::string> split(const std::string &text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// Values as they were found, weakest source first, so that applying them in turn gives each setting its strongest.
class Loader {
 public:
  Loader(const Environment &environment, const ReadFile &read_file)
      : environment_(environment), read_file_(read_file) {}

  void read_arguments(std::span<const std::string> arguments);
  void read_file();
  std::variant<Config, std::vector<Error>> finish();

 private:
  using Values = std::map<const Setting *, std::vector<std::string>>;

  void take(std::string name, std::optional<std::string> value, std::span<const std::string> &rest);
  void apply(const Setting &setting, const std::vector<std::string> &values, const std::string &source);
  void check();

  const Environment &environment_;
  const ReadFile &read_file_;
  Config config_;
  Values flags_, file_;
  std::string file_path_;
  std::vector<Error> errors_;
};

void Loader::take(std::string name, std::optional<std::string> value, std::span<const std::string> &rest) {
  const bool is_file = name == "config";
  const Setting *setting = by_flag(name);
  if (!is_file && setting == nullptr) {
    errors_.push_back({"--" + name, "unknown flag; --help lists them"});
    return;
  }
  if (!value) {
    if (rest.empty()) {
      errors_.push_back({"--" + name, "needs a value"});
      return;
    }
    value = rest.front();
    rest = rest.subspan(1);
  }
  if (is_file) {
    file_path_ = *value;
  } else {
    flags_[setting].push_back(*value);
  }
}

void Loader::read_arguments(std::span<const std::string> rest) {
  while (!rest.empty()) {
    std::string argument = rest.front();
    rest = rest.subspan(1);
    if (argument == "--help" || argument == "-h") {
      config_.show_help = true;
      continue;
    }
    if (argument == "--version") {
      config_.show_version = true;
      continue;
    }
    if (argument == "-http" || argument.starts_with("-http=")) argument = "--listen" + argument.substr(5);
    if (!argument.starts_with("--")) {
      errors_.push_back({argument, "is not a flag; --help lists them"});
      continue;
    }
    argument = argument.substr(2);
    const auto equals = argument.find('=');
    take(argument.substr(0, equals),
         equals == std::string::npos ? std::nullopt : std::optional(argument.substr(equals + 1)), rest);
  }
}

// Keys are the flags' names; a value is a text or a number, or a list where the flag may be repeated.
void Loader::read_file() {
  if (file_path_.empty()) return;
  const auto text = read_file_(file_path_);
  if (!text) {
    errors_.push_back({"--config", text.error().message});
    return;
  }
  const auto document = json::Document::parse(*text);
  if (!document) {
    errors_.push_back({file_path_, document.error().message});
    return;
  }
  json::Notes notes;
  notes.unknown_keys_are_faults = true;
  if (auto object = document->root(notes).object()) {
    const auto add = [this](const Setting &setting, const json::Value &value) {
      if (value.kind() == json::Value::Kind::number) {
        if (const auto number = value.integer(0, 1'000'000'000)) file_[&setting].push_back(std::to_string(*number));
      } else if (const auto words = value.text()) {
        file_[&setting].push_back(*words);
      }
    };
    for (const Setting &setting : kSettings) {
      if (setting.flag.empty()) continue;
      const auto value = object->get(setting.flag);
      if (!value) continue;
      if (setting.repeats && value->kind() == json::Value::Kind::array) {
        for (const json::Value &one : value->array()) add(setting, one);
      } else {
        add(setting, *value);
      }
    }
    object->done();
  }
  for (const Error &fault : notes.faults) {
    errors_.push_back({fault.field.empty() ? file_path_ : file_path_ + ": " + fault.field, fault.message});
  }
}

void Loader::apply(const Setting &setting, const std::vector<std::string> &values, const std::string &source) {
  for (const std::string &value : values) {
    if (auto fault = setting.apply(config_, value, read_file_)) errors_.push_back({source, *fault});
  }
}

void Loader::check() {
  if (config_.partitions == 0) config_.partitions = 1;
  if (config_.partition >= config_.partitions) {
    errors_.push_back({"PARTITION_ID", "must be below TOTAL_PARTITIONS (" + std::to_string(config_.partitions) + ")"});
  }
  if (!config_.udp_target_host.empty() && config_.udp_target_port == 0) {
    config_.warnings.push_back("UDP_TARGET_HOST is ignored without UDP_TARGET_PORT");
  }
  if (config_.ice_relay_only && config_.turn_host.empty())
    errors_.push_back({"--ice-policy", "relay needs a TURN server: set TURN_HOST"});
  const auto needs_token = [this](const std::string &host) {
    return !is_loopback_host(host) && config_.token.empty() && !config_.allow_anonymous;
  };
  for (const auto &[flag, exposed] : {std::pair{"--listen", needs_token(config_.listen_host)},
                                      {"--rtsp", config_.rtsp && needs_token(config_.rtsp->host)}}) {
    if (!exposed) continue;
    errors_.push_back({flag,
                       "beyond loopback only with --token-file or AVCHAOS_TOKEN (or, behind a network "
                       "policy, with AVCHAOS_ALLOW_ANONYMOUS=1)"});
  }
  if (!config_.media_path.empty() && !g_file_test(config_.media_path.c_str(), G_FILE_TEST_IS_REGULAR)) {
    config_.warnings.push_back("MEDIA_PATH: there is no file " + config_.media_path +
                               ": tests that name no media will be refused");
  }
  const auto home = environment_("XDG_STATE_HOME");
  config_.own_state_dir = home && !home->empty() ? *home + "/gst-avchaos"
                                                 : environment_("HOME").value_or("/tmp") + "/.local/state/gst-avchaos";
  if (config_.state_dir.empty()) config_.state_dir = config_.own_state_dir;
}

std::variant<Config, std::vector<Error>> Loader::finish() {
  if (config_.show_help || config_.show_version) return config_;
  read_file();
  for (const Setting &setting : kSettings) {
    const auto flag = flags_.find(&setting);
    const auto value = environment_(setting.environment);
    if (flag != flags_.end()) {
      apply(setting, flag->second, "--" + std::string(setting.flag));
    } else if (value && !value->empty()) {
      apply(setting, setting.repeats ? split(*value) : std::vector{*value}, setting.environment);
    } else if (const auto in_file = file_.find(&setting); in_file != file_.end()) {
      apply(setting, in_file->second, file_path_ + ": " + with_underscores(setting.flag));
    }
  }
  check();
  if (!errors_.empty()) return errors_;
  return config_;
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  GInetAddress *address = g_inet_address_new_from_string(std::string(host).c_str());
  if (address == nullptr) return false;
  const bool loopback = g_inet_address_get_is_loopback(address) != FALSE;
  g_object_unref(address);
  return loopback;
}

std::variant<Config, std::vector<Error>> load_config(std::span<const std::string> arguments,
                                                     const Environment &environment, const ReadFile &read_file) {
  Loader loader(environment, read_file);
  loader.read_arguments(arguments);
  return loader.finish();
}

Result<std::string> read_text_file(const std::string &path) {
  constexpr std::streamsize kMost = 1 << 20;  // a token or a settings file; a device has no end
  if (g_file_test(path.c_str(), G_FILE_TEST_IS_DIR)) return Error{"", path + " is a directory"};
  std::ifstream in(path, std::ios::binary);
  if (!in) return Error{"", "cannot read " + path};
  std::string text(kMost + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return Error{"", "cannot read " + path};
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.gcount() > kMost) return Error{"", path + " is larger than 1 MiB"};
  return text;
}

std::string usage() {
  std::ostringstream out;
  out << "avchaosd: the gst-avchaos daemon (REST, metrics)\n\nUsage: avchaosd [FLAGS]\n\n";
  const auto line = [&](std::string left, std::string_view help) {
    left.resize(std::max<std::size_t>(left.size() + 2, 34), ' ');
    out << "  " << left << help << '\n';
  };
  for (const Setting &s : kSettings) {
    if (!s.flag.empty()) line("--" + std::string(s.flag) + " " + std::string(s.argument), s.help);
  }
  line("--config FILE", "the same settings as a JSON object (listen, state_dir, …)");
  line("--version", "print the version");
  out << "\nEnvironment (a flag is stronger, the file weaker):\n";
  for (const Setting &s : kSettings) line(s.environment, s.help);
  return out.str();
}

}  // namespace avc::launcher
