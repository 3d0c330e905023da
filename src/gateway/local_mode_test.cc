#include <gtest/gtest.h>

#include "gateway/attempt.h"

namespace nl::gateway {
namespace {

using router::OnLocal;
using router::Proof;

// What a model of that name may do with tools here.
OnLocal mode(const std::string& model, Proof proof, OnLocal configured = OnLocal::automatic) {
  router::Policy policy;
  policy.on_local = configured;
  policy.providers.resize(1);
  policy.providers[0].local = true;
  router::Candidate candidate;
  candidate.target.model = model;
  candidate.proof = proof;
  chat::Request request;
  request.tools.resize(1);
  return local_mode(request, policy, candidate);
}

TEST(LocalMode, GoesByTheSizeThatTheNameStates) {
  EXPECT_EQ(mode("gemma4:e4b", Proof::none), OnLocal::read_only);
  EXPECT_EQ(mode("gemma4:26b", Proof::none), OnLocal::proceed);
  EXPECT_EQ(mode("mine", Proof::none), OnLocal::proceed);
}

TEST(LocalMode, WhatTheUsersTasksHaveShownCountsForMore) {
  EXPECT_EQ(mode("gemma4:e4b", Proof::safe), OnLocal::proceed);
  EXPECT_EQ(mode("gemma4:26b", Proof::not_yet), OnLocal::read_only);
}

TEST(LocalMode, TheConfiguredWordCountsMost) {
  EXPECT_EQ(mode("gemma4:26b", Proof::not_yet, OnLocal::proceed), OnLocal::proceed);
  EXPECT_EQ(mode("gemma4:e4b", Proof::safe, OnLocal::hold), OnLocal::hold);
}

}  // namespace
}  // namespace nl::gateway
