#include "command/command.h"

int main(int count, char** arguments) { return command::run(count, arguments); }
