{# Everything is compiled once, so nothing asks what depends on what; and only what runs at every step is optimised, with
headers that were compiled before. (Brian2 leaves out flags that a compiler does not take by themselves.) #}
PROGRAM = main
SRCS = {{source_files}}
OBJS = ${SRCS:.cpp=.o}
CXXFLAGS = -c -Wno-write-strings -I. {{ compiler_debug_flags }}
LFLAGS = {{ linker_flags }} {{ linker_debug_flags }}

all: $(PROGRAM)

$(PROGRAM): $(OBJS)
	$(CXX) $(OBJS) -o $(PROGRAM) $(LFLAGS)

main.o objects.o run.o: OPTIMISATION = -w -std=c++11 -O0
%.o: OPTIMISATION = {{ compiler_flags }} -include headers.h

%.o: %.cpp
	$(CXX) $(CXXFLAGS) $(OPTIMISATION) $< -o $@
