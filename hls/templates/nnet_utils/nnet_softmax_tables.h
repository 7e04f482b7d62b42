#ifndef NNET_SOFTMAX_TABLES_H_
#define NNET_SOFTMAX_TABLES_H_

// Softmax by tables, all of it on the raw bits of its types: the difference of each logit to the largest indexes the
// exponentials; the bits behind the leading one of their sum index the reciprocals; the product is rounded and shifted.

#include "hls_stream.h"
#include "nnet_common.h"

namespace nnet {

struct softmax_tables_config {
    static const unsigned n_in = 10;
    static const unsigned n_classes = 10;
    static const unsigned exponential_size = 1024;
    static const unsigned index_bits = 10;
    static const unsigned sum_width = 21;
    static const unsigned product_width = 33;
    static const int shift = 6;
};

template <class data_T, class res_T, typename CONFIG_T>
void softmax_of_one(data_T data[CONFIG_T::n_classes], res_T res[CONFIG_T::n_classes],
                    typename CONFIG_T::exponential_t exponential[CONFIG_T::exponential_size],
                    typename CONFIG_T::reciprocal_t reciprocal[1 << CONFIG_T::index_bits]) {
    #pragma HLS INLINE

    data_T largest = data[0];
Largest:
    for (unsigned i = 1; i < CONFIG_T::n_classes; i++) {
        #pragma HLS UNROLL
        largest = data[i] > largest ? data[i] : largest;
    }

    ap_uint<CONFIG_T::exponential_t::width> exponentials[CONFIG_T::n_classes];
    #pragma HLS ARRAY_PARTITION variable=exponentials complete
    ap_uint<CONFIG_T::sum_width> sum = 0;
Exponentials:
    for (unsigned i = 0; i < CONFIG_T::n_classes; i++) {
        #pragma HLS UNROLL
        // Modulo its width the difference of the raw bits is the difference itself, which is never negative.
        ap_uint<data_T::width> most = largest.range(data_T::width - 1, 0), one = data[i].range(data_T::width - 1, 0);
        ap_uint<data_T::width> below = most - one;
        unsigned index = below < CONFIG_T::exponential_size ? (unsigned)below : CONFIG_T::exponential_size - 1;
        exponentials[i] = exponential[index].range(CONFIG_T::exponential_t::width - 1, 0);
        sum += exponentials[i];
    }

    int places = 0;
LeadingOne:
    for (unsigned i = 0; i < CONFIG_T::sum_width; i++) {
        #pragma HLS UNROLL
        if (sum[i])
            places = i;
    }
    ap_uint<CONFIG_T::index_bits> mantissa = sum >> (places - (int)CONFIG_T::index_bits);
    ap_uint<CONFIG_T::reciprocal_t::width> inverse =
        reciprocal[(unsigned)mantissa].range(CONFIG_T::reciprocal_t::width - 1, 0);
    const int shift = places + CONFIG_T::shift;
    const ap_uint<CONFIG_T::product_width> half = ap_uint<CONFIG_T::product_width>(1) << (shift - 1);
    const ap_uint<res_T::width> highest = -1;

Shares:
    for (unsigned i = 0; i < CONFIG_T::n_classes; i++) {
        #pragma HLS UNROLL
        ap_uint<CONFIG_T::product_width> product = exponentials[i] * inverse;
        ap_uint<CONFIG_T::product_width> quotient = (product + half) >> shift;
        ap_uint<res_T::width> code = quotient < highest ? ap_uint<res_T::width>(quotient) : highest;
        res[i].range(res_T::width - 1, 0) = code;
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void softmax_tables(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in],
                    typename CONFIG_T::exponential_t exponential[CONFIG_T::exponential_size],
                    typename CONFIG_T::reciprocal_t reciprocal[1 << CONFIG_T::index_bits]) {
    #pragma HLS PIPELINE

    for (unsigned i = 0; i < CONFIG_T::n_in; i += CONFIG_T::n_classes) {
        softmax_of_one<data_T, res_T, CONFIG_T>(data + i, res + i, exponential, reciprocal);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void softmax_tables(hls::stream<data_T> &data, hls::stream<res_T> &res,
                    typename CONFIG_T::exponential_t exponential[CONFIG_T::exponential_size],
                    typename CONFIG_T::reciprocal_t reciprocal[1 << CONFIG_T::index_bits]) {
    typename data_T::value_type logits[CONFIG_T::n_classes];
    #pragma HLS ARRAY_PARTITION variable=logits complete
    typename res_T::value_type shares[CONFIG_T::n_classes];
    #pragma HLS ARRAY_PARTITION variable=shares complete

SoftmaxLoop:
    for (unsigned i = 0; i < CONFIG_T::n_in / CONFIG_T::n_classes; i++) {
        #pragma HLS PIPELINE

        for (unsigned j = 0; j < CONFIG_T::n_classes / data_T::size; j++) {
            data_T in_pack = data.read();
            for (unsigned k = 0; k < data_T::size; k++) {
                #pragma HLS UNROLL
                logits[j * data_T::size + k] = in_pack[k];
            }
        }
        softmax_of_one<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(logits, shares, exponential,
                                                                                          reciprocal);
        for (unsigned j = 0; j < CONFIG_T::n_classes / res_T::size; j++) {
            res_T out_pack;
            PRAGMA_DATA_PACK(out_pack)
            for (unsigned k = 0; k < res_T::size; k++) {
                #pragma HLS UNROLL
                out_pack[k] = shares[j * res_T::size + k];
            }
            res.write(out_pack);
        }
    }
}

} // namespace nnet

#endif
