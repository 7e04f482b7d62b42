#ifndef NNET_TABLE_H_
#define NNET_TABLE_H_

// A function of one element by look-up. The table is indexed with the raw bits of the input, so it has exactly one
// entry for each value that the input type can have: nothing is scaled, clipped or rounded on the way.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct table_config {
    static const unsigned n_in = 10;
    static const unsigned index_width = 10;
    static const unsigned table_size = 1024;
};

template <class data_T, class res_T, typename CONFIG_T>
void table_lookup(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in],
                  const typename CONFIG_T::table_t table[CONFIG_T::table_size]) {
    #pragma HLS RESOURCE variable=table core=ROM_nP_BRAM
    #pragma HLS PIPELINE

    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        res[i] = table[as_index(raw_bits<CONFIG_T::index_width>(data[i]))];
    }
}

template <class data_T, class res_T, typename CONFIG_T>
void table_lookup(channel<data_T> &data, channel<res_T> &res,
                  const typename CONFIG_T::table_t table[CONFIG_T::table_size]) {
    #pragma HLS RESOURCE variable=table core=ROM_nP_BRAM
    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_in / data_T::size; i++) {
        #pragma HLS PIPELINE

        data_T in_pack = data.read();
        res_T out_pack;
        NNET_DATA_PACK(out_pack)

        NNET_UNROLL
        for (unsigned j = 0; j < data_T::size; j++) {
            #pragma HLS UNROLL
            out_pack[j] = table[as_index(raw_bits<CONFIG_T::index_width>(in_pack[j]))];
        }

        res.write(out_pack);
    }
}

} // namespace nnet

#endif
