{# Conditions are computed for all cells first, without a branch, and then looked through, eight cells at a time. Where they
draw a random number, most cells are spared it by what stands before it in the condition, and keep their branch. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    {# USES_VARIABLES { N } #}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    {% set _eventspace = get_array_name(eventspace_variable) %}
    {% set _spike %}
{{_eventspace}}[_count++] = _idx;
{% if _uses_refractory %}
{{not_refractory}}[_idx] = false;
{{lastspike}}[_idx] = {{t}};
{% endif %}
    {% endset %}
    const int _N = {{constant_or_scalar('N', variables['N'])}};
    long _count = 0;
    {% if 'uniform' in vector_code|string %}
    for (int _idx=0; _idx<_N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        if (_cond)
        {
            {{_spike|autoindent}}
        }
    }
    {% else %}
    static std::vector<char> _events_due(_N + 8);
    char* __restrict__ _due = _events_due.data();
    #pragma GCC ivdep
    for (int _idx=0; _idx<_N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        _due[_idx] = _cond;
    }
    for (int _start=0; _start<_N; _start+=8)
    {
        int _any = 0;
        for (int _idx=_start; _idx<_start+8; _idx++)
            _any |= _due[_idx];
        if (!_any)
            continue;
        for (int _idx=_start; _idx<_start+8; _idx++)
            if (_due[_idx])
            {
                {{_spike|autoindent}}
            }
    }
    {% endif %}
    {{_eventspace}}[_N] = _count;
{% endblock %}

{% block after_code %}
{% set _eventspace = get_array_name(eventspace_variable) %}
{{_eventspace}}[N] = 0;
{% endblock %}
