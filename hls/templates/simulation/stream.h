#ifndef NNET_STREAM_H
#define NNET_STREAM_H

// In place of hls4ml's stream for g++, which reads an empty queue without a word.

#include "simulated_stream.h"

namespace nnet {
template <class T> using stream = simulation::stream<T>;
}

#endif
