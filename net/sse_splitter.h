#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace spillway {

// Cuts a stream of server-sent events into events without taking it apart: for relays, which pass
// on the bytes as they came. Lines end with LF, CRLF or CR; an event ends with an empty line.
//
//   splitter.Feed(piece);
//   while (splitter.Next(&event)) Send(event.bytes);
//
// Nothing is copied but an event that came in several pieces.
class SseSplitter {
 public:
  struct Event {
    std::string_view bytes;  // All of it, its empty line included. Of the piece, or kept here.
    // The value of its data line. Of several lines (rare; no engine does) they are joined with LF
    // here. "" where there is none: comments, lone line ends, `event:` or `id:` alone.
    std::string_view data;
    bool has_data = false;
  };

  explicit SseSplitter(std::size_t event_limit = std::size_t{1} << 20) : limit_(event_limit) {}

  // `piece` stays valid until Next() returned false.
  void Feed(std::string_view piece);
  // The next whole event; its views are valid until the next call of Next() or Feed(), those into
  // the piece as long as the piece. An LF that belongs to a CR at the end of the last event may
  // come at the beginning of the next.
  bool Next(Event* event);
  // Bytes of an event that has no end yet: what to send on if the stream ends here.
  std::string_view rest() const { return give_back_ ? std::string_view() : held_; }
  // An event is longer than the limit: Next() gives no more.
  bool too_long() const { return too_long_; }

 private:
  std::size_t limit_;
  std::string_view piece_;  // What is left of the last one.
  std::string held_;        // The beginning of an event whose end is still to come.
  std::string joined_;      // Data of several lines.
  bool line_open_ = false;  // What was read so far ends within a line.
  bool after_cr_ = false;   // Its last byte is a CR: an LF belongs to it.
  bool give_back_ = false;  // held_ was handed out as an event.
  bool too_long_ = false;
  bool first_ = true;  // A byte order mark may come.

  std::size_t FindEnd(std::string_view bytes);
  void ReadData(Event* event);
};

}  // namespace spillway
