// Prints the CustomResourceDefinition of SeldonDeployment: `make crd` writes it into the chart.
#include <cstdio>
#include <string>

#include "resource/crd.h"
#include "resource/print.h"

int main() {
  const std::string text =
      "# Written by tools/sluice_crd (make crd) from the field table in src/resource. Do not "
      "edit.\n" +
      sluice::resource::to_yaml(sluice::resource::seldon_deployment_crd());
  return std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
