// Reading JSON that strangers wrote: every reader names the faulty field by its path ("spikes[2].params.pattern")
// and adds to a list, so that one pass finds all faults. Keys match whatever their case, with '-' or '_', and with
// _percent or _percentage; null counts as absent. '//' and '/* */' comments are allowed. Only the first value of a
// text is read. Size, depth and the number of faults are bounded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

typedef struct _JsonNode JsonNode;
typedef struct _JsonObject JsonObject;

namespace avc::json {

struct Limits {
  std::size_t bytes = 1 << 20;
  unsigned depth = 32;
};

// What a reader has to say about a document. Faults beyond kMost are counted out: the list is for people.
struct Notes {
  static constexpr std::size_t kMost = 50;
  bool unknown_keys_are_faults = false;  // otherwise they are warnings
  std::vector<Error> faults;
  std::vector<std::string> warnings;

  void fault(std::string field, std::string message);
  void warn(std::string message);
};

class Object;

// One value and its path. A reader that finds something else notes a fault and gives nothing.
class Value {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };

  Value(JsonNode *node, std::string path, Notes &notes) : node_(node), path_(std::move(path)), notes_(&notes) {}

  std::optional<bool> boolean() const;
  std::optional<double> number(double low, double high) const;
  std::optional<std::int64_t> integer(std::int64_t low, std::int64_t high) const;
  std::optional<std::string> text(std::size_t longest = 4096) const;  // no control characters
  std::optional<std::string> lines(std::size_t longest) const;        // text in which lines may end
  std::vector<Value> array(std::size_t longest = 10000) const;
  std::optional<Object> object() const;

  Kind kind() const;
  const std::string &path() const { return path_; }
  Notes &notes() const { return *notes_; }
  void fault(std::string message) const { notes_->fault(path_, std::move(message)); }

 private:
  std::optional<std::string> text_without(std::size_t longest, bool line_ends) const;

  JsonNode *node_;
  std::string path_;
  Notes *notes_;
};

// An object whose keys are asked for one by one; done() then notes those that nobody asked for.
class Object {
 public:
  Object(JsonObject *object, std::string path, Notes &notes);

  std::optional<Value> get(std::string_view key);  // nothing when absent or null
  std::optional<bool> boolean(std::string_view key);
  std::optional<double> number(std::string_view key, double low, double high);
  std::optional<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high);
  std::optional<std::string> text(std::string_view key, std::size_t longest = 4096);
  std::vector<Value> array(std::string_view key, std::size_t longest = 10000);
  std::optional<Object> object(std::string_view key);

  std::vector<std::pair<std::string, Value>> members();  // all that are not null, in order; all count as asked for
  void done();

  const std::string &path() const { return path_; }
  std::string path_of(std::string_view key) const;
  void fault(std::string_view key, std::string message) { notes_->fault(path_of(key), std::move(message)); }
  Notes &notes() { return *notes_; }

 private:
  struct Member {
    std::string key, plain;
    JsonNode *node;
    bool asked = false;
  };

  std::string path_;
  Notes *notes_;
  std::vector<Member> members_;
  std::vector<std::string_view> known_;  // keys asked for: literals of the callers
};

class Document {
 public:
  static Result<Document> parse(std::string_view text, Limits limits = {});

  Value root(Notes &notes) const { return Value(node_.get(), "", notes); }
  const std::string &text() const { return text_; }  // the value read, without comments

 private:
  struct Freer {
    void operator()(JsonNode *node) const noexcept;
  };
  Document(JsonNode *node, std::string text) : node_(node), text_(std::move(text)) {}

  std::unique_ptr<JsonNode, Freer> node_;
  std::string text_;
};

// A value without comments, cut after its end, each number checked; or what is wrong with it and where.
Result<std::string> plain_json(std::string_view text, Limits limits = {});

}  // namespace avc::json
