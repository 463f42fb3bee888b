#include "tests/check.hpp"
