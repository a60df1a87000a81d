# The rooms in order of dependency. A room may use only what stands in its USES line.
sluice_room(base LIBRARIES fmt::fmt tl::expected Threads::Threads)

sluice_room(resource USES base LIBRARIES PkgConfig::libyaml)
sluice_room(route USES base LIBRARIES PkgConfig::re2 absl::flat_hash_map)
sluice_room(net USES base LIBRARIES OpenSSL::SSL OpenSSL::Crypto)
sluice_room(http USES base TEST_LIBRARIES http_parser)

sluice_room(compile USES resource route LIBRARIES OpenSSL::SSL OpenSSL::Crypto absl::flat_hash_map absl::flat_hash_set)
sluice_room(store USES resource net LIBRARIES absl::strings)

sluice_room(gateway USES route http net)
sluice_room(operator USES compile store)
sluice_room(runtime USES resource store net)
sluice_room(kube USES resource http net store)
if(TEST kube)
  # Those need an API server: `make test-cluster` runs them by SLUICE_TEST_KUBECONFIG.
  set_tests_properties(kube PROPERTIES ENVIRONMENT "GTEST_FILTER=-KubeClusterTest.*")
endif()
sluice_room(istio USES resource http net store kube)
sluice_room(model USES base http net LIBRARIES ${SLUICE_XGBOOST} Boost::headers)
sluice_room(executor USES resource http net LIBRARIES ZLIB::ZLIB)

sluice_room(admin USES gateway http net)
sluice_room(webhook USES resource net http compile kube admin)
sluice_room(usage USES resource net http kube)
sluice_room(cli USES admin webhook usage gateway operator runtime model executor compile store kube istio LIBRARIES CLI11::CLI11)

target_compile_definitions(sluice_cli PUBLIC SLUICE_VERSION="${PROJECT_VERSION}")
add_executable(sluice "${CMAKE_SOURCE_DIR}/src/cli/main.cc")
target_link_libraries(sluice PRIVATE sluice_cli)
set_target_properties(sluice PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
