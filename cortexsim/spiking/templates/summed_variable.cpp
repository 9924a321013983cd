{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% block maincode %}
    {% set _target_var_array = get_array_name(_target_var) %}
    {% set _index_array = get_array_name(_index_var) %}
    const int _target_size = {{constant_or_scalar(_target_size_name, variables[_target_size_name])}};
    for (int _target_idx=0; _target_idx<_target_size; _target_idx++)
        {{_target_var_array}}[_target_idx + {{_target_start}}] = 0;

    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    {% if row(owner) > 1 %}
    const int32_t* __restrict__ _pre_of = {{global_name(owner.variables['_synaptic_pre'])}}.data();
    const int32_t* __restrict__ _post_of = {{global_name(owner.variables['_synaptic_post'])}}.data();
    for (int _start=0; _start<{{N}}; _start+={{row(owner)}})
    {
        const int32_t _row_pre = _pre_of[_start];
        const int32_t _row_post = _post_of[_start];
        #pragma GCC ivdep
        for (int _place=0; _place<{{row(owner)}}; _place++)
        {
            const size_t _idx = _start + _place;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|along_row|autoindent}}
            {{_target_var_array}}[_row_post + _place] += _synaptic_var;
        }
    }
    {% else %}
    for(int _idx=0; _idx<{{N}}; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        {{_target_var_array}}[{{_index_array}}[_idx]] += _synaptic_var;
    }
    {% endif %}
{% endblock %}
