#include "HTTPUpdate.h"
