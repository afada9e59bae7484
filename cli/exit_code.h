#pragma once

#include "absl/status/status.h"

namespace spillway::cli {

// What the program's end says to scripts. docs/cli.md lists them for users.
enum ExitCode : int {
  kExitOk = 0,
  kExitNegative = 1,  // the answer is no: the job failed, nobody could do it
  kExitUsage = 2,     // the command line, a file or a value in it is wrong
  kExitFindings = 3,  // a check found something
  kExitNotFound = 4,
  kExitConflict = 5,  // somebody else changed it in between, or the key was used for another job
  kExitUnauthorised = 6,
  kExitUnavailable = 7,  // no server there, or it did not answer in time
  kExitUnwritten = 8,    // it went well, but what it printed did not arrive
  kExitDetached = 130,   // Ctrl-C while waiting: the job goes on
  kExitInternal = 255,
};

// For an error that came up on this side.
constexpr ExitCode ExitCodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kFailedPrecondition:
      return kExitConflict;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return kExitUnauthorised;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return kExitUnavailable;
    default:
      return kExitInternal;
  }
}

// For an HTTP status that the server answered with.
constexpr ExitCode ExitCodeOf(int http_status) {
  switch (http_status) {
    case 401:
    case 403:
      return kExitUnauthorised;
    case 404:
    case 410:
      return kExitNotFound;
    case 409:
    case 412:
    case 428:
      return kExitConflict;
    case 408:
    case 429:
    case 502:
    case 503:
    case 504:
      return kExitUnavailable;
    case 422:
      return kExitNegative;
    default:
      break;
  }
  if (http_status >= 200 && http_status < 300) return kExitOk;
  return http_status >= 400 && http_status < 500 ? kExitUsage : kExitInternal;
}

}  // namespace spillway::cli
