#ifndef SIMULATED_STREAM_H_
#define SIMULATED_STREAM_H_

// A stream for C simulation with g++ that tells what hardware would wait for forever: a word that is not there, and one
// that nobody reads. AMD's hls::stream says the same; the streams of Intel's and Siemens' libraries don't.

#include <cstdlib>
#include <deque>
#include <iostream>

namespace simulation {

// Words in all streams of the program.
inline unsigned long &words_waiting() {
    static unsigned long count = 0;
    return count;
}

template <class T> class stream {
  public:
    stream() {}
    stream(const stream &) = delete;
    stream &operator=(const stream &) = delete;

    // The streams of a caller die behind its call, when all those between the layers have to be empty too.
    ~stream() {
        if (words_waiting() > 0)
            std::cout << "WARNING: stream '" << name() << "' contains leftover data, or one between the layers does\n";
        words_waiting() -= words.size();
    }

    T read() {
        if (words.empty()) {
            std::cout << "WARNING: stream '" << name() << "' is read while empty\n";
            static T nothing;
            return nothing;
        }
        T word = words.front();
        words.pop_front();
        words_waiting()--;
        return word;
    }

    void read(T &word) { word = read(); }

    void write(const T &word) {
        words.push_back(word);
        words_waiting()++;
    }

    bool available(unsigned count) const { return words.size() >= count; }
    unsigned size() const { return words.size(); }
    bool empty() const { return words.empty(); }

  private:
    // "... [with T = TYPE ...]": what the compiler calls the type of its words.
    static const char *name() { return __PRETTY_FUNCTION__; }

    std::deque<T> words;
};

} // namespace simulation

#endif
