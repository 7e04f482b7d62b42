#ifndef NNET_RAW_BITS_H_
#define NNET_RAW_BITS_H_

// The raw bits of numbers of the library ac_fixed.

namespace nnet {

template <int W> using bits = ac_int<W, false>;

template <int W, class T> bits<W> raw_bits(const T &number) { return number.template slc<W>(0); }

template <class T> void set_raw_bits(T &number, const bits<T::width> &raw) { number.set_slc(0, raw); }

template <int W> unsigned as_index(const bits<W> &raw) { return raw.to_uint(); }

} // namespace nnet

#endif
