package sqlsystem

import (
	"context"
	"errors"

	"habeas.dev/pkg/worker"
)

// eraseAll plans the erasure of jobs and erases by those plans.
func (s *System) eraseAll(ctx context.Context, jobs []*counted) error {
	if err := s.planAll(ctx, jobs); err != nil {
		return err
	}
	return s.eraseByPlan(ctx, jobs)
}

// planAll plans the erasure of jobs.
func (s *System) planAll(ctx context.Context, jobs []*counted) error {
	planning := make([]*worker.PlanJob, len(jobs))
	for i, j := range jobs {
		planning[i] = &worker.PlanJob{Job: worker.Job{Task: j.Task}, Plan: worker.NewPlanWriter(s.m)}
	}
	if err := s.Plan(ctx, planning); err != nil {
		return err
	}
	for i, j := range jobs {
		plan, err := planning[i].Plan.Plan()
		if j.Err = errors.Join(planning[i].Err, err); j.Err == nil {
			j.plan = plan
		} else if planning[i].Err != nil {
			j.Err = planning[i].Err
		}
	}
	return nil
}
