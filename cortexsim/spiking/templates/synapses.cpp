{# Synapses that lie in rows are run through row by row, straight from the list of spikes: no queue, no index a synapse. #}
{% extends 'common_synapses.cpp' %}

{% block maincode %}
    {# USES_VARIABLES { _synaptic_pre, _synaptic_post } #}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    const int32_t* __restrict__ _spikes = {{global_name(pathway.variables[pathway.eventspace_name])}};
    const int _spike_count = _spikes[{{pathway.source._N}}];
    {% if pathway.prepost == 'post' %}
    // The synapses of each postsynaptic cell, found once.
    static std::vector< std::vector<size_t> > _onto;
    if (_onto.empty())
    {
        _onto.resize({{pathway.source._N}});
        for (size_t _synapse=0; _synapse<{{pathway.synapses.count}}; _synapse++)
            _onto[{{_synaptic_post}}[_synapse]].push_back(_synapse);
    }
    for (int _spike=0; _spike<_spike_count; _spike++)
    {
        for (const size_t _idx : _onto[_spikes[_spike]])
        {
            const int _place = 0;
            const int32_t _row_pre = {{_synaptic_pre}}[_idx];
            const int32_t _row_post = {{_synaptic_post}}[_idx];
            const size_t _vectorisation_idx = _idx;
            {{vector_code|along_row|autoindent}}
        }
    }
    {% else %}
    {% if not pathway.synapses.rows_each %}
    // Presynaptic cells with more rows and with fewer: where the rows of each begin, found once.
    static std::vector<size_t> _first;
    if (_first.empty())
    {
        _first.resize({{pathway.source._N}} + 1, 0);
        for (size_t _synapse=0; _synapse<{{pathway.synapses.count}}; _synapse++)
            _first[{{_synaptic_pre}}[_synapse] + 1]++;
        for (size_t _cell=0; _cell<{{pathway.source._N}}; _cell++)
            _first[_cell + 1] += _first[_cell];
    }
    {% endif %}
    for (int _spike=0; _spike<_spike_count; _spike++)
    {
        {% if pathway.synapses.rows_each %}
        const size_t _from = (size_t)_spikes[_spike] * {{pathway.synapses.rows_each * pathway.synapses.row}};
        const size_t _to = _from + {{pathway.synapses.rows_each * pathway.synapses.row}};
        {% else %}
        const size_t _from = _first[_spikes[_spike]];
        const size_t _to = _first[_spikes[_spike] + 1];
        {% endif %}
        for (size_t _start=_from; _start<_to; _start+={{pathway.synapses.row}})
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
    {% endif %}
{% endblock %}
