#ifndef NNET_DIALECT_H_
#define NNET_DIALECT_H_

// What siliconv's kernels need of Siemens' library: streams, and the raw bits of numbers.

#include "nnet_common.h"
#include <ac_channel.h>

#define NNET_PRAGMA(text) _Pragma(#text)
#define NNET_DATA_PACK(variable)
#define NNET_UNROLL NNET_PRAGMA(hls_unroll)
#define NNET_PIPELINE NNET_PRAGMA(hls_pipeline_init_interval 1)
#define NNET_PIPELINE_BY(interval) NNET_PRAGMA(hls_pipeline_init_interval interval)
#define NNET_REGISTER

namespace nnet {

template <class T> using channel = ac_channel<T>;

template <int W> using bits = ac_int<W, false>;

template <int W, class T> bits<W> raw_bits(const T &number) { return number.template slc<W>(0); }

template <class T> void set_raw_bits(T &number, const bits<T::width> &raw) { number.set_slc(0, raw); }

template <int W> unsigned as_index(const bits<W> &raw) { return raw.to_uint(); }

} // namespace nnet

#endif
