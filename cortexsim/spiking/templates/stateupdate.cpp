{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}

{% block maincode %}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const int _N = {{constant_or_scalar('N', variables['N'])}};
    {% if row(owner) > 1 %}
    const int32_t* __restrict__ _pre_of = {{global_name(owner.variables['_synaptic_pre'])}}.data();
    const int32_t* __restrict__ _post_of = {{global_name(owner.variables['_synaptic_post'])}}.data();
    for (int _start=0; _start<_N; _start+={{row(owner)}})
    {
        const int32_t _row_pre = _pre_of[_start];
        const int32_t _row_post = _post_of[_start];
        #pragma GCC ivdep
        for (int _place=0; _place<{{row(owner)}}; _place++)
        {
            const size_t _idx = _start + _place;
            const size_t _vectorisation_idx = _idx;
            {{vector_code|along_row|autoindent}}
        }
    }
    {% else %}
    #pragma GCC ivdep
    for (int _idx=0; _idx<_N; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endblock %}
