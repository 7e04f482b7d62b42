#ifndef WEIGHTS_FROM_HEADER_H_
#define WEIGHTS_FROM_HEADER_H_

// Weights that C simulation reads when it starts, from the header that synthesis compiles: g++ had not compiled the
// 388,673 constructors of one network after nine minutes.

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>

namespace simulation {

template <class T, unsigned N> class weights {
  public:
    explicit weights(const std::string &header) {
        std::ifstream file((std::string(WEIGHTS_DIR) + "/" + header).c_str());
        file.ignore(std::numeric_limits<std::streamsize>::max(), '{');
        char separator = ',';
        for (unsigned i = 0; i < N; i++) {
            double value = 0;
            if (separator != ',' || !(file >> value >> separator))
                stop(header);
            data[i] = value;
        }
        if (separator != '}')
            stop(header);
    }

    operator const T *() const { return data; }

  private:
    static void stop(const std::string &header) {
        std::cerr << "ERROR: no " << N << " numbers in braces in " << WEIGHTS_DIR << "/" << header << std::endl;
        std::exit(1);
    }

    T data[N];
};

} // namespace simulation

#endif
