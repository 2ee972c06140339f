"""One training step of a BalancedModel: forward, back, update, and what is logged of it."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from visionmtl.step import tracking
from visionmtl.step.backward import Forward, Targets, apart, together
from visionmtl.step.cut import Pass
from visionmtl.step.plan import StepPlan
from visionmtl.step.shared_norm import limited
from visionmtl.step.update import Update, untouched


def training_step(model: Any, data: Any, plan: StepPlan) -> dict[str, Any]:
    """Train a BalancedModel on a batch, by a plan, in graph on each replica; return what is logged."""
    batch = model.admit(data)
    images, labels, weights = model.sizes.of(model, batch)
    balancer, optimizer, guard = model.balancer, model.optimizer, model.guard
    replicas, scale = model.distribute_strategy.num_replicas_in_sync, optimizer.scale_loss
    moved = guard.before(model.moved_by_steps)
    with tf.GradientTape(persistent=plan.apart) as tape:
        ran = plan.cut(images, tape=tape, training=True) if plan.cut else Pass(model(images, training=True))
        tasks = model.task_losses(labels, ran.outputs, weights, plan.sub_batches)
        # The losses move the model, the total the balancer's own variables; the optimizer SUMS over replicas.
        total, slopes = balancer.total(tasks.means, tasks.present)
        others = model.other_loss()
        total += others
        unit = scale(tf.constant(1.0))
        targets = Targets([scale(loss) for loss in tasks.local], scale(total / replicas), unit)
    forward = Forward(
        tape=tape,
        ran=ran,
        tasks=tasks,
        slopes=slopes,
        targets=targets,
        variables=model.trainable_variables,
        number=optimizer.iterations,
    )
    back = apart(forward, balancer, plan.look, plan.among) if plan.apart else together(forward)
    del tape, forward
    if balancer.max_norm is not None:
        back = limited(back, model.trainable_variables, model.plans.shared_variables, balancer.max_norm, unit)
    limit = None if model._clips_itself else model.clip_norm
    update = Update(optimizer, model.trainable_variables, limit, replicas)
    finite = guard.update(optimizer, update.ready(back.gradients, back.summed), [tasks.means, total])
    if back.gramian is not None:
        model.conflicts.record(back.gramian, back.weights, tasks.present)
    balancer.update(tasks.means, tasks.present)
    if balancer.looks_back:
        balancer.look_back(tasks.means, _losses_again(model, images, labels, weights), tasks.present)
    model.running.follow(total, others, tasks)
    tracking.follow(model._weights, back.weights)
    followed = tracking.follow_metrics(model._metrics_of, labels, ran.outputs, weights)
    guard.after(finite, moved, batch, tasks.means)
    logs = model.running.results() | balancer.logs() | tracking.results(model._weights)
    return logs | tracking.results(followed)


def _losses_again(model: Any, images: Any, labels: Mapping, weights: Mapping | None) -> tf.Tensor:
    """Return the losses `[K]` of a batch as a training step sees them, and leave no trace of having looked."""
    own = {id(variable) for variable in model.balancer.variables}
    with untouched([variable for variable in model.non_trainable_variables if id(variable) not in own]):
        return model.task_losses(labels, model(images, training=True), weights).means
