#ifndef NNET_DIALECT_H_
#define NNET_DIALECT_H_

// What siliconv's kernels need of AMD's library: streams, and the raw bits of numbers.

#include "ap_int.h"
#include "hls_stream.h"
#include "nnet_common.h"

#define NNET_DATA_PACK(variable) PRAGMA_DATA_PACK(variable)
// What stands before a loop; AMD's own pragmas stand in its body.
#define NNET_UNROLL
#define NNET_PIPELINE
#define NNET_PIPELINE_BY(interval)
#define NNET_REGISTER

namespace nnet {

template <class T> using channel = hls::stream<T>;

template <int W> using bits = ap_uint<W>;

template <int W, class T> bits<W> raw_bits(const T &number) {
    #pragma HLS INLINE
    return number.range(W - 1, 0);
}

template <class T> void set_raw_bits(T &number, const bits<T::width> &raw) {
    #pragma HLS INLINE
    number.range(T::width - 1, 0) = raw;
}

template <int W> unsigned as_index(const bits<W> &raw) {
    #pragma HLS INLINE
    return (unsigned)raw;
}

} // namespace nnet

#endif
