#ifndef NNET_RESHAPE_WORDS_H_
#define NNET_RESHAPE_WORDS_H_

// The same elements in another shape: in a stream, words of another length.

#include "nnet_common.h"
#include "nnet_dialect.h"

namespace nnet {

struct reshape_words_config {
    static const unsigned n_in = 1;
};

template <class data_T, class res_T, typename CONFIG_T>
void reshape_words(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in]) {
    #pragma HLS PIPELINE

    NNET_UNROLL
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS UNROLL
        res[i] = data[i];
    }
}

template <class data_T, class res_T, typename CONFIG_T> void reshape_words(channel<data_T> &data, channel<res_T> &res) {
    const unsigned before = data_T::size, after = res_T::size;
    data_T in_pack;
    res_T out_pack;
    NNET_DATA_PACK(out_pack)

    NNET_PIPELINE
    for (unsigned i = 0; i < CONFIG_T::n_in; i++) {
        #pragma HLS PIPELINE
        if (i % before == 0)
            in_pack = data.read();
        out_pack[i % after] = in_pack[i % before];
        if (i % after == after - 1)
            res.write(out_pack);
    }
}

} // namespace nnet

#endif
