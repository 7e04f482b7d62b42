#ifndef NNET_SOFTMAX_TABLES_H_
#define NNET_SOFTMAX_TABLES_H_

// Softmax by tables, all of it on the raw bits of its types: the difference of each logit to the largest indexes the
// exponentials; the bits behind the leading one of their sum index the reciprocals; the product is rounded and shifted.

#include "nnet_common.h"
#include "nnet_dialect.h"

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
                    const typename CONFIG_T::exponential_t exponential[CONFIG_T::exponential_size],
                    const typename CONFIG_T::reciprocal_t reciprocal[1 << CONFIG_T::index_bits]) {
    #pragma HLS INLINE

    data_T largest = data[0];
    NNET_UNROLL
    for (unsigned i = 1; i < CONFIG_T::n_classes; i++) {
        #pragma HLS UNROLL
        largest = data[i] > largest ? data[i] : largest;
    }

    const unsigned furthest = CONFIG_T::exponential_size - 1;
    bits<CONFIG_T::exponential_t::width> exponentials[CONFIG_T::n_classes];
    #pragma HLS ARRAY_PARTITION variable=exponentials complete
    bits<CONFIG_T::sum_width> sum = 0;
    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_classes; i++) {
        #pragma HLS UNROLL
        // Modulo its width the difference of the raw bits is the difference itself, which is never negative.
        bits<data_T::width> most = raw_bits<data_T::width>(largest), one = raw_bits<data_T::width>(data[i]);
        bits<data_T::width> below = most - one;
        // Compared before it becomes an index, which has fewer bits than a code may have.
        unsigned index = below < furthest ? as_index(below) : furthest;
        exponentials[i] = raw_bits<CONFIG_T::exponential_t::width>(exponential[index]);
        sum += exponentials[i];
    }

    int places = 0;
    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::sum_width; i++) {
        #pragma HLS UNROLL
        if (sum[i])
            places = i;
    }
    // With the leading one, which is no part of the index: a table of one entry has an index of no bits.
    bits<CONFIG_T::index_bits + 1> mantissa = sum >> (places - (int)CONFIG_T::index_bits);
    const unsigned entry = as_index(mantissa) & ((1u << CONFIG_T::index_bits) - 1);
    bits<CONFIG_T::reciprocal_t::width> inverse = raw_bits<CONFIG_T::reciprocal_t::width>(reciprocal[entry]);
    const int shift = places + CONFIG_T::shift;
    const bits<CONFIG_T::product_width> half = bits<CONFIG_T::product_width>(1) << (shift - 1);
    const bits<res_T::width> highest = -1;

    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_classes; i++) {
        #pragma HLS UNROLL
        bits<CONFIG_T::product_width> product = exponentials[i] * inverse;
        bits<CONFIG_T::product_width> quotient = (product + half) >> shift;
        bits<res_T::width> code = quotient < highest ? bits<res_T::width>(quotient) : highest;
        set_raw_bits(res[i], code);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void softmax_tables(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in],
                    const typename CONFIG_T::exponential_t exponential[CONFIG_T::exponential_size],
                    const typename CONFIG_T::reciprocal_t reciprocal[1 << CONFIG_T::index_bits]) {
    #pragma HLS RESOURCE variable=exponential core=ROM_nP_BRAM
    #pragma HLS RESOURCE variable=reciprocal core=ROM_nP_BRAM
    #pragma HLS PIPELINE

    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_in; i += CONFIG_T::n_classes) {
        softmax_of_one<data_T, res_T, CONFIG_T>(data + i, res + i, exponential, reciprocal);
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void softmax_tables(channel<data_T> &data, channel<res_T> &res,
                    const typename CONFIG_T::exponential_t exponential[CONFIG_T::exponential_size],
                    const typename CONFIG_T::reciprocal_t reciprocal[1 << CONFIG_T::index_bits]) {
    #pragma HLS RESOURCE variable=exponential core=ROM_nP_BRAM
    #pragma HLS RESOURCE variable=reciprocal core=ROM_nP_BRAM
    typename data_T::value_type logits[CONFIG_T::n_classes];
    #pragma HLS ARRAY_PARTITION variable=logits complete
    typename res_T::value_type shares[CONFIG_T::n_classes];
    #pragma HLS ARRAY_PARTITION variable=shares complete

    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_in / CONFIG_T::n_classes; i++) {
        #pragma HLS PIPELINE

        for (unsigned j = 0; j < CONFIG_T::n_classes / data_T::size; j++) {
            data_T in_pack = data.read();
            NNET_UNROLL
            for (unsigned k = 0; k < data_T::size; k++) {
                #pragma HLS UNROLL
                logits[j * data_T::size + k] = in_pack[k];
            }
        }
        softmax_of_one<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(logits, shares, exponential,
                                                                                          reciprocal);
        for (unsigned j = 0; j < CONFIG_T::n_classes / res_T::size; j++) {
            res_T out_pack;
            NNET_DATA_PACK(out_pack)
            NNET_UNROLL
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
