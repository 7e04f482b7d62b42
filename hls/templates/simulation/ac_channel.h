#ifndef __AC_CHANNEL_H
#define __AC_CHANNEL_H

// In place of Siemens' channel for g++, which keeps what nobody reads for the next image without a word.

#include "simulated_stream.h"

template <class T> using ac_channel = simulation::stream<T>;

#endif
