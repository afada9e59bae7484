#include "controller/address_file.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace spillway {
namespace {

std::string Read(const std::string& path) {
  std::ifstream in(path);
  std::string text;
  std::getline(in, text, '\0');
  return text;
}

TEST(AddressFile, IsOneWholeLineWhileItsOwnerLives) {
  testing_support::TemporaryFolder folder;
  {
    AddressFile file(folder.path());
    EXPECT_FALSE(std::filesystem::exists(folder.Of("address")));
    ASSERT_TRUE(file.Write("http://127.0.0.1:1").ok());
    ASSERT_TRUE(file.Write("http://127.0.0.1:2").ok());
    EXPECT_EQ(Read(folder.Of("address")), "http://127.0.0.1:2\n");
    EXPECT_FALSE(std::filesystem::exists(folder.Of("address.new")));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.Of("address")));
}

TEST(AddressFile, SaysWhereItCannotBeWritten) {
  AddressFile file("/nowhere/at/all");
  EXPECT_FALSE(file.Write("http://127.0.0.1:1").ok());
}

}  // namespace
}  // namespace spillway
