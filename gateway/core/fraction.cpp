#include "gateway/core/fraction.hpp"
