#include "tests/support/faulty_vfs.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

namespace spillway::testing_support {

// What SQLite holds for an open file; the system's own file follows it in memory.
struct FaultyFile {
  sqlite3_file base;
  FaultyVfs* vfs;
  std::string* path;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  FaultyVfs::Disk* disk() { return path != nullptr ? &vfs->disks_[*path] : nullptr; }

  static FaultyFile* Of(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file); }

  static int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out);
  static int Delete(sqlite3_vfs* vfs, const char* path, int sync);

  static int Close(sqlite3_file* file) {
    FaultyFile* f = Of(file);
    delete f->path;
    return f->real()->pMethods->xClose(f->real());
  }
  static int Read(sqlite3_file* file, void* out, int n, sqlite3_int64 at) {
    return Of(file)->real()->pMethods->xRead(Of(file)->real(), out, n, at);
  }
  static int Write(sqlite3_file* file, const void* in, int n, sqlite3_int64 at) {
    FaultyFile* f = Of(file);
    if (const int error = f->vfs->Count(/*flush=*/false); error != SQLITE_OK) return error;
    if (auto* disk = f->disk())
      disk->since.push_back({at, std::string(static_cast<const char*>(in), std::size_t(n)), false});
    return f->real()->pMethods->xWrite(f->real(), in, n, at);
  }
  static int Truncate(sqlite3_file* file, sqlite3_int64 size) {
    FaultyFile* f = Of(file);
    if (const int error = f->vfs->Count(/*flush=*/false); error != SQLITE_OK) return error;
    if (auto* disk = f->disk()) disk->since.push_back({size, "", true});
    return f->real()->pMethods->xTruncate(f->real(), size);
  }
  static int Sync(sqlite3_file* file, int) {
    FaultyFile* f = Of(file);
    if (const int error = f->vfs->Count(/*flush=*/true); error != SQLITE_OK) return error;
    if (auto* disk = f->disk()) {
      for (const auto& write : disk->since) FaultyVfs::Apply(disk->flushed, write);
      disk->since.clear();
    }
    return SQLITE_OK;  // the real disk need not be flushed for a loss that is only imagined
  }
  static int FileSize(sqlite3_file* file, sqlite3_int64* size) {
    return Of(file)->real()->pMethods->xFileSize(Of(file)->real(), size);
  }
  static int Lock(sqlite3_file* file, int level) {
    return Of(file)->real()->pMethods->xLock(Of(file)->real(), level);
  }
  static int Unlock(sqlite3_file* file, int level) {
    return Of(file)->real()->pMethods->xUnlock(Of(file)->real(), level);
  }
  static int CheckReservedLock(sqlite3_file* file, int* out) {
    return Of(file)->real()->pMethods->xCheckReservedLock(Of(file)->real(), out);
  }
  // Hints about sizes would write behind our back.
  static int FileControl(sqlite3_file* file, int op, void* arg) {
    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
    return Of(file)->real()->pMethods->xFileControl(Of(file)->real(), op, arg);
  }
  static int SectorSize(sqlite3_file* file) {
    return Of(file)->real()->pMethods->xSectorSize(Of(file)->real());
  }
  static int Characteristics(sqlite3_file* file) {
    return Of(file)->real()->pMethods->xDeviceCharacteristics(Of(file)->real());
  }
  static int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return Of(file)->real()->pMethods->xShmMap(Of(file)->real(), page, size, extend, out);
  }
  static int ShmLock(sqlite3_file* file, int offset, int n, int flags) {
    return Of(file)->real()->pMethods->xShmLock(Of(file)->real(), offset, n, flags);
  }
  static void ShmBarrier(sqlite3_file* file) {
    Of(file)->real()->pMethods->xShmBarrier(Of(file)->real());
  }
  static int ShmUnmap(sqlite3_file* file, int remove) {
    return Of(file)->real()->pMethods->xShmUnmap(Of(file)->real(), remove);
  }
};

namespace {

constexpr sqlite3_io_methods kMethods = {
    /*iVersion=*/2,  // with shared memory, without memory maps
    &FaultyFile::Close,       &FaultyFile::Read,       &FaultyFile::Write,
    &FaultyFile::Truncate,    &FaultyFile::Sync,       &FaultyFile::FileSize,
    &FaultyFile::Lock,        &FaultyFile::Unlock,     &FaultyFile::CheckReservedLock,
    &FaultyFile::FileControl, &FaultyFile::SectorSize, &FaultyFile::Characteristics,
    &FaultyFile::ShmMap,      &FaultyFile::ShmLock,    &FaultyFile::ShmBarrier,
    &FaultyFile::ShmUnmap,
    /*xFetch=*/nullptr,
    /*xUnfetch=*/nullptr,
};

FaultyVfs* OwnerOf(sqlite3_vfs* vfs) { return static_cast<FaultyVfs*>(vfs->pAppData); }

std::string Contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

int FaultyFile::Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
  FaultyFile* f = new (file) FaultyFile{};
  f->vfs = OwnerOf(vfs);
  sqlite3_vfs* system = f->vfs->system_;
  const int result = system->xOpen(system, path, f->real(), flags, out);
  if (result != SQLITE_OK) return result;
  f->base.pMethods = &kMethods;
  if (path != nullptr) {
    f->path = new std::string(path);
    // What was there before counts as flushed.
    f->vfs->disks_.try_emplace(*f->path, FaultyVfs::Disk{Contents(path), {}});
  }
  return SQLITE_OK;
}

int FaultyFile::Delete(sqlite3_vfs* vfs, const char* path, int sync) {
  FaultyVfs* owner = OwnerOf(vfs);
  if (const int error = owner->Count(/*flush=*/false); error != SQLITE_OK) return error;
  owner->disks_.erase(path);
  return owner->system_->xDelete(owner->system_, path, sync);
}

FaultyVfs::FaultyVfs(std::string name)
    : name_(std::move(name)), system_(sqlite3_vfs_find(nullptr)) {
  vfs_ = *system_;  // everything but files goes to the system's functions
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.szOsFile = static_cast<int>(sizeof(FaultyFile)) + system_->szOsFile;
  vfs_.pAppData = this;
  vfs_.xOpen = &FaultyFile::Open;
  vfs_.xDelete = &FaultyFile::Delete;
  // The system's functions find their own data in the vfs that they are given.
  vfs_.xAccess = [](sqlite3_vfs* v, const char* path, int flags, int* out) {
    sqlite3_vfs* s = OwnerOf(v)->system_;
    return s->xAccess(s, path, flags, out);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* v, const char* path, int n, char* out) {
    sqlite3_vfs* s = OwnerOf(v)->system_;
    return s->xFullPathname(s, path, n, out);
  };
  sqlite3_vfs_register(&vfs_, /*makeDflt=*/0);
}

FaultyVfs::~FaultyVfs() { sqlite3_vfs_unregister(&vfs_); }

void FaultyVfs::FailAt(std::int64_t n, Fault fault, bool for_good) {
  fail_at_ = operations_ + n;
  fault_ = fault;
  for_good_ = for_good;
  failed_ = failed_in_flush_ = false;
}

int FaultyVfs::Count(bool flush) {
  ++operations_;
  const bool fails =
      fail_at_ != 0 && (operations_ == fail_at_ || (for_good_ && operations_ > fail_at_));
  if (!fails) return SQLITE_OK;
  failed_in_flush_ = failed_in_flush_ || (flush && !failed_);
  failed_ = true;
  if (fault_ == Fault::kDiskFull && !flush) return SQLITE_FULL;
  return flush ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
}

void FaultyVfs::Apply(std::string& image, const Write& write) {
  const auto offset = static_cast<std::size_t>(write.offset);
  if (write.truncate) {
    image.resize(offset);
    return;
  }
  if (image.size() < offset + write.bytes.size()) image.resize(offset + write.bytes.size());
  std::memcpy(image.data() + offset, write.bytes.data(), write.bytes.size());
}

void FaultyVfs::LosePower(const std::string& folder, std::uint64_t seed) const {
  std::mt19937_64 bits(seed);
  for (const auto& [path, disk] : disks_) {
    std::string image = disk.flushed;
    std::vector<Write> since = seed == 0 ? std::vector<Write>() : disk.since;
    for (std::size_t i = since.size(); i > 1; --i) std::swap(since[i - 1], since[bits() % i]);
    for (Write& write : since) {
      const auto fate = bits() % 3;
      if (fate == 0) continue;  // never reached the disk
      if (fate == 1 && !write.truncate && write.bytes.size() > 1)
        write.bytes.resize(bits() % write.bytes.size());  // torn
      Apply(image, write);
    }
    std::ofstream out(std::filesystem::path(folder) / std::filesystem::path(path).filename(),
                      std::ios::binary);
    out << image;
  }
}

}  // namespace spillway::testing_support
