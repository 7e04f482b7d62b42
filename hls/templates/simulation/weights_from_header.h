#ifndef WEIGHTS_FROM_HEADER_H_
#define WEIGHTS_FROM_HEADER_H_

// Weights and tables that C simulation reads when it starts, from the very headers that synthesis compiles: g++ had not
// compiled the 388,673 constructors of one network after nine minutes.

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#ifndef WEIGHTS_DIR
#define WEIGHTS_DIR "weights"
#endif

namespace simulation {

// The numbers between the braces of a header; none where that is not n of them and nothing else.
inline std::vector<double> numbers_of(const std::string &path, unsigned n) {
    std::ifstream file(path.c_str(), std::ios::binary);
    std::stringstream read;
    read << file.rdbuf();
    const std::string text = read.str();
    const char *at = text.c_str() + std::min(text.find('{'), text.size());
    std::vector<double> numbers;
    numbers.reserve(n);
    while (*at == '{' || *at == ',') {
        char *end = NULL;
        const double number = std::strtod(++at, &end);
        if (end == at)
            break;
        numbers.push_back(number);
        at = end + std::strspn(end, " \t\r\n");
    }
    if (*at != '}' || numbers.size() != n)
        numbers.clear();
    return numbers;
}

template <class T, unsigned N> void read_weights(T *data, const std::string &header) {
    const std::string path = std::string(WEIGHTS_DIR) + "/" + header;
    const std::vector<double> numbers = numbers_of(path, N);
    if (numbers.size() != N) {
        std::cerr << "ERROR: no " << N << " numbers in braces in " << path << std::endl;
        std::exit(1);
    }
    for (unsigned i = 0; i < N; i++)
        data[i] = numbers[i];
}

template <class T, unsigned N> class weights {
  public:
    explicit weights(const std::string &header) { read_weights<T, N>(data, header); }

    operator const T *() const { return data; }

  private:
    T data[N];
};

} // namespace simulation

#endif
