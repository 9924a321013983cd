{# Synapses in rows read the list of spikes themselves. #}
{% extends 'common_group.cpp' %}
{% block maincode %}
{% endblock %}
