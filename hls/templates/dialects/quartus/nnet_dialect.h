#ifndef NNET_DIALECT_H_
#define NNET_DIALECT_H_

// What siliconv's kernels need of Intel's library: streams, and the raw bits of numbers.

#include "nnet_common.h"
#include "nnet_raw_bits.h"
#include "nnet_types.h"

#define NNET_PRAGMA(text) _Pragma(#text)
#define NNET_DATA_PACK(variable)
#define NNET_UNROLL NNET_PRAGMA(unroll)
#define NNET_PIPELINE NNET_PRAGMA(ii 1)
#define NNET_PIPELINE_BY(interval) NNET_PRAGMA(ii interval)
#define NNET_REGISTER hls_register

namespace nnet {

template <class T> using channel = ::stream<T>;

} // namespace nnet

#endif
