#ifndef NNET_DIALECT_H_
#define NNET_DIALECT_H_

// What siliconv's kernels need of Siemens' library: streams, and the raw bits of numbers.

#include "nnet_common.h"
#include <ac_channel.h>
// After the library, whose types it uses.
#include "nnet_raw_bits.h"

#define NNET_PRAGMA(text) _Pragma(#text)
#define NNET_DATA_PACK(variable)
#define NNET_UNROLL NNET_PRAGMA(hls_unroll)
#define NNET_PIPELINE NNET_PRAGMA(hls_pipeline_init_interval 1)
#define NNET_PIPELINE_BY(interval) NNET_PRAGMA(hls_pipeline_init_interval interval)
#define NNET_REGISTER

namespace nnet {

template <class T> using channel = ac_channel<T>;

} // namespace nnet

#endif
