#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/actions.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/top_frame.h"
#include "core/text.h"
#include "formats/units.h"

namespace spillway::cli {
namespace {

constexpr absl::Duration kPeriod = absl::Seconds(1), kShortestPeriod = absl::Milliseconds(100);
constexpr int kEndless = 10'000;  // lines, where nobody counts them

// The other screen of the terminal, and keys as they are pressed; both as before at the end.
class Stage {
 public:
  explicit Stage(std::ostream& out) : out_(out) {
    keys_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    if (keys_) {
      termios raw = before_;
      raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    out_ << "\x1b[?1049h\x1b[?25l";
  }
  ~Stage() {
    out_ << "\x1b[?25h\x1b[?1049l" << std::flush;
    if (keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // In one write, so that nothing flickers: home, each line and what was behind it, the rest.
  void Show(const std::string& frame) {
    out_ << "\x1b[H" << absl::StrReplaceAll(frame, {{"\n", "\x1b[K\r\n"}}) << "\x1b[K\x1b[J"
         << std::flush;
  }
  // Waits so long; true if somebody wants to leave.
  bool IsLeft(absl::Duration span) {
    if (!keys_) {
      Pause(span);
      return Interrupted();
    }
    pollfd readable{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(span))) <= 0)
      return Interrupted();
    char key = 0;
    return ::read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || Interrupted();
  }

 private:
  std::ostream& out_;
  termios before_{};
  bool keys_ = false;
};

int HeightOfTerminal() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

// What can be had; a controller that is gone is waited for.
TopView Look(Api& api) {
  TopView view{.server = api.server(), .now = absl::Now()};
  struct Part {
    const char* target;
    Value& into;
    bool needed;
  };
  for (const Part& part : {Part{"/api/v1/pools", view.pools, true},
                           {"/api/v1/overview", view.overview, false},
                           {"/api/v1/series?window_s=600", view.series, false},
                           {"/api/v1/decisions?limit=50", view.decisions, false},
                           {"/api/v1/requests?limit=100", view.requests, false}}) {
    auto answer = api.Get(part.target);
    if (answer.ok() && answer->ok()) {
      part.into = std::move(answer->body);
    } else if (part.needed) {
      view.trouble =
          answer.ok() ? absl::StrCat("refused with ", answer->status, " (is $SPILLWAY_TOKEN set?)")
                      : std::string(answer.status().message());
      break;
    }
  }
  return view;
}

}  // namespace

int ShowTop(const Invocation& args, Api& api, Console& console) {
  absl::Duration period = kPeriod;
  if (args.Has("--every")) {
    const auto said = ParseDuration(args.Get("--every"));
    if (!said.ok()) return console.Fail(said.status());
    period = std::max(*said, kShortestPeriod);
  }
  if (args.Has("--once") || !console.screen.live) {
    const TopView view = Look(api);
    if (!view.trouble.empty()) return console.Fail(absl::UnavailableError(view.trouble));
    console.out << TopFrame(view, console.screen, kEndless) << "\n";
    return kExitOk;
  }
  CatchInterrupt();
  Stage stage(console.out);
  do {
    // The window may have another size by now.
    const Screen screen =
        ScreenOf(STDOUT_FILENO, console.screen.colour ? ColourWish::kAlways : ColourWish::kNever);
    stage.Show(TopFrame(Look(api), screen, HeightOfTerminal()));
  } while (!stage.IsLeft(period));
  return kExitOk;
}

}  // namespace spillway::cli
