// Drives every network of bench.sv at once with the words of vectors/, and keeps and compares what comes out.
//
// Usage: Vbench [images N] [seed N] [pause_in PERCENT] [pause_out PERCENT] [folder PATH] [stall CYCLES]
// Reads FOLDER/in_K.bin (K: number of the network) and, where it is there, FOLDER/expected_K.bin. Writes
// FOLDER/out_K.bin, FOLDER/times_K.bin (cycle of each word in, then of each word out, 32 bits) and, of every stream,
// FOLDER/probe_K_STREAM.bin and FOLDER/probe_times_K_STREAM.bin. A word takes the bytes that Verilator gives it, lowest first.
// Exit status: 0 all words came and are equal, 1 a word differs, 2 a file is missing, 3 the stream stalls.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports.h"
#include "verilated.h"

namespace {

using Bytes = std::vector<uint8_t>;

bool load(const std::string &path, Bytes &bytes) {
  FILE *file = std::fopen(path.c_str(), "rb");
  if (!file) return false;
  uint8_t chunk[1 << 16];
  for (size_t got; (got = std::fread(chunk, 1, sizeof chunk, file)) > 0;) bytes.insert(bytes.end(), chunk, chunk + got);
  std::fclose(file);
  return true;
}

void save(const std::string &path, const void *data, size_t size) {
  FILE *file = std::fopen(path.c_str(), "wb");
  if (!file || std::fwrite(data, 1, size, file) != size) std::exit(2);
  std::fclose(file);
}

// Whether a stream pauses in a cycle; rtl/cycles/pauses.py computes the same.
bool open_in(uint32_t cycle, uint32_t seed, uint32_t percent) {
  uint32_t x = cycle * 0x9E3779B1u + seed * 0x85EBCA6Bu;
  x ^= x >> 15;
  x *= 0x2C1B3C6Du;
  x ^= x >> 12;
  x *= 0x297A2D39u;
  x ^= x >> 15;
  return (x & 0xFFFF) >= percent * 65536u / 100u;
}

struct Traffic {
  Bytes words;
  std::vector<uint32_t> times;
};

}  // namespace

int main(int count, char **arguments) {
  std::map<std::string, std::string> options = {{"images", "1"},    {"seed", "1"},         {"pause_in", "0"},
                                                {"pause_out", "0"}, {"folder", "vectors"}, {"stall", "1000000"}};
  for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
  auto number = [&](const char *name) { return uint32_t(std::strtoul(options[name].c_str(), nullptr, 10)); };
  const uint32_t images = number("images"), seed = number("seed"), stall = number("stall");
  const uint32_t pause_in = number("pause_in"), pause_out = number("pause_out");
  const std::string folder = options["folder"] + "/";

  VerilatedContext context;
  auto top = std::make_unique<Vbench>(&context);
  std::vector<Port> ports = ports_of(*top);
  std::vector<Traffic> traffic(ports.size());
  std::vector<size_t> done(ports.size(), 0);
  uint64_t missing = 0;
  for (size_t p = 0; p < ports.size(); p++) {
    Port &port = ports[p];
    if (port.kind == Kind::in) {
      const std::string path = folder + "in_" + std::to_string(port.network) + ".bin";
      if (!load(path, traffic[p].words) || traffic[p].words.size() < size_t(images) * port.words * port.bytes) {
        std::fprintf(stderr, "%s: missing, or fewer than %u images\n", path.c_str(), images);
        return 2;
      }
    }
    if (port.kind != Kind::probe) missing += uint64_t(images) * port.words;
  }

  top->rst_i = 1;
  for (int i = 0; i < 4; i++) {
    top->clk_i = i & 1;
    top->eval();
  }
  top->rst_i = 0;
  uint32_t cycle = 0, last_word = 0;
  for (; missing && cycle - last_word < stall; cycle++) {
    for (size_t p = 0; p < ports.size(); p++) {
      Port &port = ports[p];
      if (port.kind == Kind::in) {
        const bool more = done[p] < size_t(images) * port.words;
        if (more && !*port.valid && open_in(cycle, seed + 2 * port.network, pause_in)) {
          *port.valid = 1;
          std::memcpy(port.data, &traffic[p].words[done[p] * port.bytes], port.bytes);
        }
      } else if (port.kind == Kind::out) {
        *port.ready = open_in(cycle, seed + 2 * port.network + 1, pause_out);
      }
    }
    top->clk_i = 0;
    top->eval();
    std::vector<size_t> sent;
    for (size_t p = 0; p < ports.size(); p++) {
      Port &port = ports[p];
      if (!*port.valid || !*port.ready) continue;
      done[p]++;
      // A stream that goes on without end is no progress; one word too many tells it of a result.
      const size_t all = size_t(images) * port.words;
      if (port.kind != Kind::in && done[p] > all + (port.kind == Kind::out)) continue;
      if (port.kind == Kind::in || done[p] <= all) last_word = cycle;
      if (port.kind == Kind::in) {
        traffic[p].times.push_back(cycle);
        sent.push_back(p);
        missing--;
        continue;
      }
      const uint8_t *data = static_cast<const uint8_t *>(port.data);
      traffic[p].words.insert(traffic[p].words.end(), data, data + port.bytes);
      traffic[p].times.push_back(cycle);
      if (port.kind == Kind::out) {
        if (done[p] <= all) missing--;
      }
    }
    top->clk_i = 1;
    top->eval();
    for (size_t p : sent) *ports[p].valid = 0;
  }

  int status = missing ? 3 : 0;
  for (size_t p = 0; p < ports.size(); p++) {
    const std::string number = std::to_string(ports[p].network);
    if (ports[p].kind == Kind::probe) {
      save(folder + "probe_" + number + "_" + ports[p].name + ".bin", traffic[p].words.data(), traffic[p].words.size());
      save(folder + "probe_times_" + number + "_" + ports[p].name + ".bin", traffic[p].times.data(),
           traffic[p].times.size() * sizeof(uint32_t));
    } else if (ports[p].kind == Kind::out) {
      save(folder + "out_" + number + ".bin", traffic[p].words.data(), traffic[p].words.size());
      std::vector<uint32_t> times = traffic[p - 1].times;
      times.insert(times.end(), traffic[p].times.begin(), traffic[p].times.end());
      save(folder + "times_" + number + ".bin", times.data(), times.size() * sizeof(uint32_t));
      Bytes expected;
      if (!load(folder + "expected_" + number + ".bin", expected)) continue;
      expected.resize(size_t(images) * ports[p].words * ports[p].bytes);
      if (status != 3 && expected != traffic[p].words) status = 1;
    }
  }
  std::printf("%u images, %u cycles: %s\n", images, cycle,
              status == 0 ? "equal" : status == 1 ? "DIFFERENT" : "STALLED");
  top->final();
  return status;
}
