import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streams", "0007_ignored_fields"),
    ]

    operations = [
        migrations.CreateModel(
            name="RollHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Minute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "stream_id",
                        "at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="streams.stream",
                    ),
                ),
                ("at", models.DateTimeField()),
                ("batches", models.IntegerField()),
                ("inserts", models.BigIntegerField()),
                ("modifies", models.BigIntegerField()),
                ("removes", models.BigIntegerField()),
                ("repeated", models.BigIntegerField()),
                ("poison", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("source_lag", models.FloatField(null=True)),
                ("pipeline_lag", models.FloatField()),
            ],
        ),
    ]
