#pragma once

#include "core/device.h"
#include "core/pool.h"

// What is lost when one replica of a model spans several devices or nodes: all of them together
// reach `efficiency` x their number x the speed of one. The table has one figure a fabric, the
// loss for each further part: efficiency(n) = 1 / (1 + loss x (n - 1)). So two nodes lose little,
// and adding nodes over a slow network soon stops paying: the speed never passes 1 / loss.
namespace spillway {

// Between the devices of a node, by a feature of the catalogue's device. Assumed: they give what
// 70B models take on 12 Inferentia 2 (measured 33 ms a token, so computed 32).
inline constexpr double kLossOverLink =
    0.05;  // nvlink, infinity_fabric, neuronlink, roce, ici, hccs
inline constexpr double kLossOverPcie = 0.15;
// Between nodes. Four nodes reach 0.84 of their speed over RDMA, 0.50 over a cloud's plain network.
inline constexpr double kLossOverRdma = (1 / 0.84 - 1) / 3;
inline constexpr double kLossOverVpc = (1 / 0.50 - 1) / 3;

constexpr double Efficiency(double loss, double parts) {
  return parts <= 1 ? 1 : 1 / (1 + loss * (parts - 1));
}

// CPUs: 1; their slices are shares of one memory.
double EfficiencyInNode(const Device& device, double devices);
// RDMA: the pool has the label `fabric: rdma` or one of the features rdma, infiniband, efa, roce.
// A label `fabric: vpc` wins over features.
double EfficiencyOverNodes(const PoolSpec& pool, int nodes);

// How many times as long everything takes under confidential computing: pools that list any kind of
// it under `confidential:` run in trusted domains. CPUs 1.10, devices 1.08: the upper ends of the
// throughput overheads in Chrapek et al., arXiv 2509.18886 (Llama 2 under TDX with AMX: under 10 %;
// H100 in confidential mode: 4 to 8 %).
double ConfidentialFactor(const PoolSpec& pool, DeviceKind kind);

}  // namespace spillway
