// Command prometheus-operator prints the configuration that the Prometheus Operator makes of monitors: it reads a
// Prometheus and what it selects as JSON, and needs no cluster.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus-operator/prometheus-operator/pkg/assets"
	"github.com/prometheus-operator/prometheus-operator/pkg/prometheus"
)

type input struct {
	Prometheus      monitoringv1.Prometheus        `json:"prometheus"`
	ServiceMonitors []*monitoringv1.ServiceMonitor `json:"serviceMonitors"`
	PodMonitors     []*monitoringv1.PodMonitor     `json:"podMonitors"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var given input
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&given); err != nil {
		return fmt.Errorf("reading the input: %w", err)
	}
	generator, err := prometheus.NewConfigGenerator(nil, &given.Prometheus)
	if err != nil {
		return err
	}
	services := map[string]*monitoringv1.ServiceMonitor{}
	for _, monitor := range given.ServiceMonitors {
		services[monitor.Namespace+"/"+monitor.Name] = monitor
	}
	pods := map[string]*monitoringv1.PodMonitor{}
	for _, monitor := range given.PodMonitors {
		pods[monitor.Namespace+"/"+monitor.Name] = monitor
	}
	text, err := generator.GenerateServerConfiguration(
		&given.Prometheus, services, pods, nil, nil, assets.NewStoreBuilder(nil, nil), nil, nil, nil, nil,
	)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(text)
	return err
}
