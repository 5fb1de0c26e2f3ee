// The findings of --validate in one layer: correct results are counted, wrong ones are printed. Repetitions
// of the same reason are printed once.
#ifndef CONFORMANCE_ADAPTERS_ABI_FINDINGS_H
#define CONFORMANCE_ADAPTERS_ABI_FINDINGS_H

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace binding {

// What is being checked, for the message after a crash.
inline std::string now_at = "the adapter";

class Findings {
 public:
  explicit Findings(const char* layer) : layer_(layer) { std::printf("%s\n", layer); }

  void check(bool right, const std::string& wrong) {
    ++(right ? right_ : wrong_);
    if (!right && wrong_ <= most_wrong) std::printf("  wrong: %s\n", wrong.c_str());
  }
  template <class T, class U>
  void equal(const char* what, const T& got, const U& want) {
    check(got == want, std::string(what) + " is " + testing::PrintToString(got) + ", want " +
                           testing::PrintToString(want));
  }
  void not_expressible(const std::string& what, const char* reason) {
    ++not_expressible_;
    if (reason == nullptr)
      return check(false, what + ": the adapter gives no reason why it is not expressible");
    const auto [known, is_new] = alike_.try_emplace(reason);
    if (is_new) {
      std::printf("  not expressible: %s: %s\n", what.c_str(), reason);
    } else {
      known->second.push_back(what);
    }
  }
  // A check that this kernel does not allow.
  void left_out(const char* what, const char* why) { std::printf("  left out: %s: %s\n", what, why); }
  // Prints the last line. Returns false if something is wrong.
  bool conclude() const {
    for (const auto& [reason, more] : alike_) {
      if (!more.empty()) std::printf("  the same, \"%s\", of: %s\n", reason.c_str(), listed(more).c_str());
    }
    if (wrong_ > most_wrong) std::printf("  and %d more that are wrong\n", wrong_ - most_wrong);
    std::printf("  %s: %d right, %d not expressible, %d wrong\n", layer_, right_, not_expressible_, wrong_);
    std::fflush(stdout);
    return wrong_ == 0;
  }

  bool lacks_words() const { return not_expressible_ > 0; }

 private:
  static constexpr int most_wrong = 20;  // the rest is a consequence of these

  static std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t most = 12;
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i > 0 ? ", " : "") + names[i];
    if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
    return text;
  }

  const char* layer_;
  int right_ = 0, wrong_ = 0, not_expressible_ = 0;
  std::map<std::string, std::vector<std::string>> alike_;  // by reason, without the first
};

}  // namespace binding

#endif
