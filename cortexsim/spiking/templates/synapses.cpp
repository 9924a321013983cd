{# Synapses that lie in rows are run through row by row, straight from the list of spikes: no queue, no index a synapse. #}
{% extends 'common_synapses.cpp' %}

{% block maincode %}
    {# USES_VARIABLES { _synaptic_pre, _synaptic_post } #}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    const int32_t* __restrict__ _spikes = {{global_name(pathway.variables[pathway.eventspace_name])}};
    const int _spike_count = _spikes[{{pathway.source._N}}];
    for (int _spike=0; _spike<_spike_count; _spike++)
    {
        const size_t _from = (size_t)_spikes[_spike] * {{pathway.synapses.rows_each * pathway.synapses.row}};
        for (size_t _start=_from; _start<_from + {{pathway.synapses.rows_each * pathway.synapses.row}}; _start+={{pathway.synapses.row}})
        {
            const int32_t _row_pre = {{_synaptic_pre}}[_start];
            const int32_t _row_post = {{_synaptic_post}}[_start];
            #pragma GCC ivdep
            for (int _place=0; _place<{{pathway.synapses.row}}; _place++)
            {
                const size_t _idx = _start + _place;
                const size_t _vectorisation_idx = _idx;
                {{vector_code|along_row|autoindent}}
            }
        }
    }
{% endblock %}
