// protobuf_load FILE: the same in C++ with libprotobuf and libonnx: load, infer shapes, add up the
// MACs of Conv and Gemm.
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <fcntl.h>
#include <unistd.h>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

using Dims = std::vector<int64_t>;

static std::map<std::string, Dims> shapes_of(const onnx::GraphProto &graph) {
  std::map<std::string, Dims> shapes;
  auto add = [&](const onnx::ValueInfoProto &info) {
    Dims dims;
    for (const auto &d : info.type().tensor_type().shape().dim()) dims.push_back(d.dim_value());
    shapes[info.name()] = dims;
  };
  for (const auto &info : graph.value_info()) add(info);
  for (const auto &info : graph.input()) add(info);
  for (const auto &info : graph.output()) add(info);
  for (const auto &tensor : graph.initializer())
    shapes[tensor.name()] = Dims(tensor.dims().begin(), tensor.dims().end());
  return shapes;
}

static int64_t macs_of(const onnx::GraphProto &graph) {
  auto shapes = shapes_of(graph);
  int64_t macs = 0;
  for (const auto &node : graph.node()) {
    if (node.op_type() == "Conv") {
      int64_t n = 1;
      for (int64_t d : shapes[node.output(0)]) n *= d;
      const Dims &weight = shapes[node.input(1)];
      for (size_t i = 1; i < weight.size(); i++) n *= weight[i];
      macs += n;
    } else if (node.op_type() == "Gemm") {
      const Dims &out = shapes[node.output(0)], &weight = shapes[node.input(1)];
      bool transposed = false;
      for (const auto &a : node.attribute()) transposed |= a.name() == "transB" && a.i() != 0;
      if (out.size() == 2 && weight.size() == 2) macs += out[0] * out[1] * weight[transposed];
    }
  }
  return macs;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int fd = open(argv[1], O_RDONLY);
  if (fd < 0) return 3;
  google::protobuf::io::FileInputStream in(fd);
  onnx::ModelProto model;
  if (!model.ParseFromZeroCopyStream(&in)) return 3;
  close(fd);
  onnx::shape_inference::InferShapes(model);
  std::printf("%lld\n", static_cast<long long>(macs_of(model.graph())));
  return 0;
}
