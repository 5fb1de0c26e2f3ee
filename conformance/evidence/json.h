// Just enough JSON to write one record a line.
#ifndef CONFORMANCE_EVIDENCE_JSON_H
#define CONFORMANCE_EVIDENCE_JSON_H

#include <string>
#include <string_view>

namespace conformance::json {

// A JSON string, quotes included. Bytes that are not valid in JSON become \u escapes of their value, so that
// whatever a failure message contains, the record stays one valid line.
inline std::string quote(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      ((out += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out += '"';
}

// Builds one object: Object().add("kind", quote("test")).add("ms", "3").text().
class Object {
 public:
  Object& add(std::string_view key, std::string_view json_value) {
    ((text_ += text_.size() > 1 ? "," : "") += quote(key)) += ':';
    text_ += json_value;
    return *this;
  }
  Object& add(std::string_view key, long long value) {
    return add(key, std::string_view(std::to_string(value)));
  }
  Object& add_string(std::string_view key, std::string_view value) {
    return add(key, std::string_view(quote(value)));
  }
  std::string text() const { return text_ + "}"; }

 private:
  std::string text_ = "{";
};

// A JSON array of the strings of a range.
template <class Range>
std::string array_of_strings(const Range& range) {
  std::string out = "[";
  for (const auto& item : range) out += (out.size() > 1 ? "," : "") + quote(item);
  return out + "]";
}

}  // namespace conformance::json

#endif
