// The one source that compiles Boost.JSON's library part.
#include <boost/json/src.hpp>
